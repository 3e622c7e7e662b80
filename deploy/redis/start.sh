#!/bin/sh
# In a container: the shared settings and what depends on the place, then the server. The password goes through a
# file, since everybody can read the words of a command.
set -eu
umask 077
cat >/tmp/here.conf <<END
include /etc/tintype/redis.conf
bind 0.0.0.0
port 6379
dir /data
requirepass $PASSWORD
END
exec redis-server /tmp/here.conf
