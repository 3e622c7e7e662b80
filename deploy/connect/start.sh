#!/bin/bash
# In a container: the shared settings and what depends on the place, then the worker.
set -euo pipefail
cp /etc/tintype/connect.properties /tmp/connect.properties
cat >>/tmp/connect.properties <<'END'

bootstrap.servers=kafka:29092
listeners=http://:8083
rest.advertised.host.name=connect
plugin.path=/kafka/connect
END
exec /kafka/bin/connect-distributed.sh /tmp/connect.properties
