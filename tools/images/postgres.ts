// PostgreSQL from Debian as the usual image has it: the data directory is made at the first start from POSTGRES_USER,
// POSTGRES_PASSWORD and POSTGRES_DB, and files in /docker-entrypoint-initdb.d run then.
import { DEBIAN_BASE, type ImageRecipe } from './recipe.ts'
import { addDebianBase, addUser, link, makeDirectory, removeAll, write } from './root-files.ts'

const VERSION = '15'
const PROGRAMS = `usr/lib/postgresql/${VERSION}/bin`

const LIBRARIES = [
  // The locale C.UTF-8.
  'libc-bin',
  'libaudit1',
  'libcap-ng0',
  'libcap2',
  'libcom-err2',
  'libffi8',
  'libgcrypt20',
  'libgmp10',
  'libgnutls30',
  'libgpg-error0',
  'libgssapi-krb5-2',
  'libhogweed6',
  'libicu72',
  'libidn2-0',
  'libk5crypto3',
  'libkeyutils1',
  'libkrb5-3',
  'libkrb5support0',
  'libldap-2.5-0',
  'liblz4-1',
  'liblzma5',
  'libnettle8',
  'libp11-kit0',
  'libpam0g',
  'libpq5',
  'libreadline8',
  'libsasl2-2',
  'libssl3',
  'libstdc++6',
  'libsystemd0',
  'libtasn1-6',
  'libtinfo6',
  'libunistring2',
  'libxml2',
  'libzstd1',
  'tzdata',
  'zlib1g',
]

export const postgres: ImageRecipe = {
  name: 'postgres',
  testsOnly: true,
  names: ['postgres:latest', `postgres:${VERSION}`, 'postgres:alpine'],
  packages: [...DEBIAN_BASE, `postgresql-${VERSION}`, `postgresql-client-${VERSION}`, ...LIBRARIES],
  adapt: adaptPostgres,
  config: {
    Env: [
      `PATH=/${PROGRAMS}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
      'LANG=C.UTF-8',
      'PGDATA=/var/lib/postgresql/data',
    ],
    Cmd: ['postgres'],
    Entrypoint: ['docker-entrypoint.sh'],
    ExposedPorts: { '5432/tcp': {} },
    Volumes: { '/var/lib/postgresql/data': {} },
    StopSignal: 'SIGINT',
  },
}

function adaptPostgres(root: string): void {
  addDebianBase(root)
  addUser(root, { name: 'postgres', id: 999, home: '/var/lib/postgresql', shell: '/bin/sh' })
  removeAll(root, [
    'etc/init.d',
    'etc/postgresql',
    'lib/systemd',
    'usr/lib/postgresql/15/lib/bitcode',
    'var/lib/postgresql',
    'var/log/postgresql',
  ])
  for (const directory of ['var/lib/postgresql/data', 'docker-entrypoint-initdb.d'])
    makeDirectory(root, directory)
  makeDirectory(root, 'var/run/postgresql', 0o1777)
  write(root, 'usr/local/bin/docker-entrypoint.sh', ENTRYPOINT, 0o755)
  link(root, 'docker-entrypoint.sh', 'usr/local/bin/docker-entrypoint.sh')
}

/** The server refuses to run as root, so root hands the data over and steps down. */
const ENTRYPOINT = `#!/bin/sh
set -e
case "$1" in
-*) set -- postgres "$@" ;;
esac
[ "$1" = postgres ] || exec "$@"
mkdir -p "$PGDATA" /var/run/postgresql
if [ "$(id -u)" = 0 ]; then
  chown -R postgres:postgres "$PGDATA" /var/run/postgresql
  chmod 700 "$PGDATA"
  exec su -s /bin/sh postgres -c 'exec "$0" "$@"' docker-entrypoint.sh "$@"
fi
user=\${POSTGRES_USER:-postgres}
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  if [ -z "$POSTGRES_PASSWORD" ] && [ "$POSTGRES_HOST_AUTH_METHOD" != trust ]; then
    echo 'Error: the database is not made yet and no password is given: set POSTGRES_PASSWORD.' >&2
    exit 1
  fi
  echo "$POSTGRES_PASSWORD" > /tmp/password
  initdb --username="$user" --pwfile=/tmp/password --auth-local=trust --auth-host=scram-sha-256 -D "$PGDATA"
  rm /tmp/password
  echo "host all all all \${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}" >> "$PGDATA/pg_hba.conf"
  pg_ctl -D "$PGDATA" -o "-c listen_addresses=''" -w start
  database=\${POSTGRES_DB:-$user}
  [ "$database" = postgres ] || createdb -U "$user" "$database"
  for file in /docker-entrypoint-initdb.d/*; do
    case "$file" in
    *.sh) . "$file" ;;
    *.sql) psql -v ON_ERROR_STOP=1 -U "$user" -d "$database" -f "$file" ;;
    esac
  done
  pg_ctl -D "$PGDATA" -m fast -w stop
fi
exec "$@" -c listen_addresses='*'
`
