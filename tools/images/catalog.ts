// The images made here: which Debian packages are inside, how they are adapted, and under which names they are
// loaded. This table is the only place that knows the names.
import { replaceNslookup } from './busybox-nslookup.ts'
import { nodejs } from './nodejs.ts'
import { postgres } from './postgres.ts'
import { DEBIAN_BASE, type ImageRecipe, PATH } from './recipe.ts'
import {
  addBaseFiles,
  addBusyboxLinks,
  addDebianBase,
  addUser,
  link,
  makeDirectory,
  removeAll,
  write,
} from './root-files.ts'

export const RECIPES: ImageRecipe[] = [
  {
    name: 'busybox',
    names: [
      'busybox:latest',
      'busybox:1.28',
      'busybox:1.30',
      'busybox:1.35',
      'busybox:1.36',
      'busybox:1.37',
      'busybox:stable',
    ],
    packages: ['busybox-static'],
    adapt(root) {
      removeAll(root, ['usr/share'])
      addBaseFiles(root)
      replaceNslookup(root)
      addBusyboxLinks(root, 'bin')
    },
    config: { Env: [PATH], Cmd: ['sh'] },
  },
  {
    name: 'nginx',
    names: [
      'nginx:latest',
      'nginx:stable',
      'nginx:alpine',
      'nginx:mainline',
      'nginx:1.7.9',
      'nginx:1.14',
      'nginx:1.14.2',
      'nginx:1.16',
      'nginx:1.16.1',
      'nginx:1.19',
      'nginx:1.20',
      'nginx:1.21',
      'nginx:1.22',
      'nginx:1.25',
      'nginx:1.27',
    ],
    packages: [...DEBIAN_BASE, 'nginx', 'nginx-common', 'libcrypt1', 'libpcre2-8-0', 'libssl3', 'zlib1g'],
    adapt: adaptNginx,
    config: {
      Env: [PATH],
      Cmd: ['nginx', '-g', 'daemon off;'],
      Entrypoint: ['/docker-entrypoint.sh'],
      ExposedPorts: { '80/tcp': {} },
      StopSignal: 'SIGQUIT',
    },
  },
  {
    name: 'redis',
    testsOnly: true,
    names: ['redis:latest', 'redis:7', 'redis:7.0', 'redis:alpine', 'redis:6.0.5', 'redis:6'],
    packages: [
      ...DEBIAN_BASE,
      'redis-server',
      'redis-tools',
      'libatomic1',
      'libjemalloc2',
      'liblua5.1-0',
      'liblzf1',
      'lua-bitop',
      'lua-cjson',
      'libsystemd0',
      'libssl3',
      'liblz4-1',
      'liblzma5',
      'libzstd1',
      'libcap2',
      'libgcrypt20',
      'libgpg-error0',
      'libstdc++6',
    ],
    adapt: adaptRedis,
    config: {
      Env: [PATH],
      Cmd: ['redis-server'],
      Entrypoint: ['docker-entrypoint.sh'],
      WorkingDir: '/data',
      ExposedPorts: { '6379/tcp': {} },
      Volumes: { '/data': {} },
    },
  },
  postgres,
  nodejs,
]

/** Debian's nginx becomes the usual image: user nginx, conf.d/default.conf, pages in /usr/share/nginx/html, logs to the output. */
function adaptNginx(root: string): void {
  addDebianBase(root)
  addUser(root, { name: 'nginx', id: 101, home: '/nonexistent', shell: '/bin/false' })
  removeAll(root, [
    'etc/nginx/sites-available',
    'etc/nginx/sites-enabled',
    'etc/nginx/snippets',
    'etc/nginx/modules-available',
    'etc/nginx/nginx.conf',
    'etc/init.d',
    'etc/default',
    'etc/logrotate.d',
    'etc/ufw',
    'lib/systemd',
    'var/lib/nginx',
  ])
  write(root, 'etc/nginx/nginx.conf', NGINX_CONF)
  write(root, 'etc/nginx/conf.d/default.conf', NGINX_DEFAULT_SITE)
  write(
    root,
    'usr/share/nginx/html/index.html',
    page('Welcome to nginx!', 'This is nginx from Debian, in an image made by Kubernode.'),
  )
  write(root, 'usr/share/nginx/html/50x.html', page('Error', 'The page is not available at the moment.'))
  for (const directory of ['var/cache/nginx', 'var/log/nginx', 'var/lib/nginx', 'docker-entrypoint.d']) {
    makeDirectory(root, directory)
  }
  link(root, 'var/log/nginx/access.log', '/dev/stdout')
  link(root, 'var/log/nginx/error.log', '/dev/stderr')
  write(root, 'docker-entrypoint.sh', NGINX_ENTRYPOINT, 0o755)
}

function adaptRedis(root: string): void {
  addDebianBase(root)
  addUser(root, { name: 'redis', id: 999, home: '/data', shell: '/bin/false' })
  removeAll(root, [
    'etc/redis',
    'etc/init.d',
    'etc/default',
    'etc/logrotate.d',
    'lib/systemd',
    'var/lib/redis',
  ])
  makeDirectory(root, 'data')
  write(root, 'usr/local/bin/docker-entrypoint.sh', REDIS_ENTRYPOINT, 0o755)
}

const page = (title: string, text: string) =>
  `<!DOCTYPE html>\n<html>\n<head><title>${title}</title></head>\n<body>\n<h1>${title}</h1>\n<p>${text}</p>\n</body>\n</html>\n`

const NGINX_CONF = `user nginx;
worker_processes auto;
error_log /var/log/nginx/error.log notice;
pid /var/run/nginx.pid;
events {
    worker_connections 1024;
}
http {
    include /etc/nginx/mime.types;
    default_type application/octet-stream;
    log_format main '$remote_addr - $remote_user [$time_local] "$request" '
                    '$status $body_bytes_sent "$http_referer" "$http_user_agent" "$http_x_forwarded_for"';
    access_log /var/log/nginx/access.log main;
    sendfile on;
    keepalive_timeout 65;
    include /etc/nginx/conf.d/*.conf;
}
`

const NGINX_DEFAULT_SITE = `server {
    listen 80;
    server_name localhost;
    location / {
        root /usr/share/nginx/html;
        index index.html index.htm;
    }
    error_page 500 502 503 504 /50x.html;
    location = /50x.html {
        root /usr/share/nginx/html;
    }
}
`

/** Runs the scripts that a derived image or a volume put into /docker-entrypoint.d, then the command. */
const NGINX_ENTRYPOINT = `#!/bin/sh
set -e
case "$1" in
nginx | nginx-debug)
  for script in /docker-entrypoint.d/*.sh; do
    [ -x "$script" ] && "$script"
  done
  ;;
esac
exec "$@"
`

/** \`docker run redis --appendonly yes\` and \`redis my.conf\` both mean redis-server with these arguments. */
const REDIS_ENTRYPOINT = `#!/bin/sh
set -e
case "$1" in
-* | *.conf) set -- redis-server "$@" ;;
esac
if [ "$1" = redis-server ] && [ $# -eq 1 ]; then
  set -- redis-server --bind '* -::*' --protected-mode no
fi
exec "$@"
`
