#!/bin/bash
# In a container: the shared settings and what depends on the place, a formatted log folder, then the broker.
set -euo pipefail
cp /etc/tintype/server.properties /tmp/server.properties
cat >>/tmp/server.properties <<'END'

listeners=CLIENTS://:29092,HOST://:9092,CONTROLLER://:9093
advertised.listeners=CLIENTS://kafka:29092,HOST://localhost:9092,CONTROLLER://kafka:9093
listener.security.protocol.map=CLIENTS:PLAINTEXT,HOST:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.quorum.bootstrap.servers=kafka:9093
log.dirs=/var/lib/kafka/data
END
/opt/kafka/bin/kafka-storage.sh format --standalone --ignore-formatted \
    -t "$TINTYPE_CLUSTER_ID" -c /tmp/server.properties
exec /opt/kafka/bin/kafka-server-start.sh /tmp/server.properties
