#!/bin/sh
# Starts a server of a cluster as what it has to be, whatever it was before:  server.sh postgres
#
# While another server can be written this one is a standby of it: a new one begins with a copy of that, and one
# that was the primary before a failover gives up what nobody else has. So no start makes a second primary, as
# long as servers reach one another and the new primary runs before the old one starts: two that start at the same
# moment do not see each other. A standby follows whichever server can be written, also after a failover.
#
# CLUSTER names all servers:  host=database,standby port=5432,5432 user=postgres password=…
# FIRST=yes lets the very first server begin where there is nothing to copy. The image of Compose makes it then; without
# the image `initdb` does, and `createdb clippings` once it runs.
set -eu
config="${CONFIG:-/etc/postgresql/postgresql.conf}"
primary="$CLUSTER dbname=postgres target_session_attrs=read-write connect_timeout=3"

another_can_be_written() {
    # Whoever can be written now is another one, because this one is not running.
    psql --no-psqlrc --quiet --command "CHECKPOINT" "$primary" 2>/dev/null
}

copy_the_primary() {
    # A copy that is broken off is not taken for a server, because only a whole one gets the name.
    rm -rf "$PGDATA.copy"
    pg_basebackup --pgdata "$PGDATA.copy" --dbname "$primary" --write-recovery-conf --checkpoint fast &&
        mv "$PGDATA.copy" "$PGDATA"
}

# A folder that was emptied is as good as none.
if [ ! -d "$PGDATA" ] || rmdir "$PGDATA" 2>/dev/null; then
    if another_can_be_written || [ "${FIRST:-no}" != yes ]; then
        until copy_the_primary; do sleep 2; done
    fi
elif [ ! -e "$PGDATA/standby.signal" ] && another_can_be_written; then
    # A promotion begins a timeline, so the higher one is of the server that was promoted last.
    own=$(LC_ALL=C pg_controldata "$PGDATA" | sed -n "s/^Latest checkpoint's TimeLineID: *//p")
    others=$(psql --no-psqlrc --tuples-only --no-align \
        --command "SELECT timeline_id FROM pg_control_checkpoint()" "$primary")
    if [ "$own" -gt "$others" ]; then
        echo "This server was promoted, and the one before it is written to again: stop that one." >&2
        exit 1
    fi
    echo "Another server is the primary now: this one goes back to where both were equal, and follows it."
    # The configuration keeps the log since the last checkpoint, which pg_rewind reads.
    pg_rewind --target-pgdata "$PGDATA" --source-server "$primary" --write-recovery-conf --config-file "$config" ||
        { echo "That failed. Empty $PGDATA, and the next start copies the primary." >&2; exit 1; }
fi
if [ -e "$PGDATA/standby.signal" ]; then
    # CLUSTER may name a server that was not there when this one began to follow, and which is the primary by now.
    settings="$PGDATA/postgresql.auto.conf"
    sed -i '/^primary_conninfo/d' "$settings"
    echo "primary_conninfo = '$(echo "$primary" | sed "s/'/''/g")'" >>"$settings"
fi
exec "$@" -c config_file="$config"
