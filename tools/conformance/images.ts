// The images that upstream's suite runs, made from Debian packages and from the programs of its own source tree.
import { chmodSync, copyFileSync } from 'node:fs'
import path from 'node:path'
import { RECIPES } from '../images/catalog.ts'
import { DEBIAN_BASE, type ImageRecipe, PATH } from '../images/recipe.ts'
import { addBaseFiles, addBusyboxLinks, addDebianBase, link, makeDirectory } from '../images/root-files.ts'

const REGISTRY = 'gcr.io/kubernetes-e2e-test-images'

/** curl, dig, nc and ss, with what they are linked to. */
const NETWORK_TOOLS =
  'bash bind9-dnsutils bind9-host bind9-libs curl iperf iproute2 netcat-openbsd libbpf1 libbrotli1 libbsd0 libc-bin libcap2 libcap2-bin libcom-err2 libcurl4 libdb5.3 libedit2 libelf1 libffi8 libfstrm0 libgmp10 libgnutls30 libgssapi-krb5-2 libhogweed6 libicu72 libidn2-0 libjemalloc2 libjson-c5 libk5crypto3 libkeyutils1 libkrb5-3 libkrb5support0 libldap-2.5-0 liblmdb0 liblzma5 libmaxminddb0 libmd0 libmnl0 libnettle8 libnghttp2-14 libp11-kit0 libpcre2-8-0 libprotobuf-c1 libpsl5 librtmp1 libsasl2-2 libselinux1 libssh2-1 libssl3 libstdc++6 libtasn1-6 libtinfo6 libtirpc3 libunistring2 libuv1 libxml2 libxtables12 libzstd1 zlib1g'.split(
    ' ',
  )

/** `source` is upstream's tree with its programs built in bin/. */
export function suiteImages(source: string): ImageRecipe[] {
  const program = (root: string, name: string, target: string) => {
    makeDirectory(root, path.dirname(target))
    copyFileSync(path.join(source, 'bin', name), path.join(root, target))
  }
  return [
    agnhost(source, program),
    webServer(source, 'kitten', program),
    webServer(source, 'nautilus', program),
    image(
      'jessie-dnsutils',
      [`${REGISTRY}/jessie-dnsutils:1.0`],
      [...DEBIAN_BASE, ...NETWORK_TOOLS],
      addTools,
    ),
    image('pause', ['k8s.gcr.io/pause:3.2'], ['busybox-static'], root => program(root, 'agnhost', 'pause'), {
      Entrypoint: ['/pause', 'pause'],
    }),
    image(
      'busybox-suite',
      ['docker.io/library/busybox:1.29', `${REGISTRY}/busybox:1.29`],
      ['busybox-static'],
      addShell,
    ),
    image('nonroot', [`${REGISTRY}/nonroot:1.0`], ['busybox-static'], addShell, {
      User: '1234',
      Entrypoint: ['/bin/id', '-u'],
    }),
    image(
      'nonewprivs',
      [`${REGISTRY}/nonewprivs:1.0`],
      ['busybox-static'],
      root => {
        addBaseFiles(root)
        program(root, 'nonewprivs', 'usr/local/bin/nnp')
        chmodSync(path.join(root, 'usr/local/bin/nnp'), 0o6755)
      },
      { User: '1000', Entrypoint: ['/usr/local/bin/nnp'] },
    ),
    image(
      'sample-apiserver',
      [`${REGISTRY}/sample-apiserver:1.17`],
      ['busybox-static'],
      root => {
        addShell(root)
        program(root, 'sample-apiserver', 'sample-apiserver')
      },
      { Entrypoint: ['/sample-apiserver'] },
    ),
    image(
      'resource-consumer',
      [`${REGISTRY}/resource-consumer:1.5`],
      ['busybox-static'],
      root => {
        addShell(root)
        program(root, 'consumer', 'consumer')
        program(root, 'consume-cpu', 'consume-cpu/consume-cpu')
      },
      { Entrypoint: ['/consumer'] },
    ),
    image('etcd', ['k8s.gcr.io/etcd:3.4.13-0'], [...DEBIAN_BASE, 'etcd-server'], root => {
      addDebianBase(root)
      makeDirectory(root, 'usr/local/bin')
      link(root, 'usr/local/bin/etcd', '/usr/bin/etcd')
    }),
    ...['httpd:2.4.38-alpine', 'httpd:2.4.39-alpine', 'nginx:1.14-alpine', 'nginx:1.15-alpine'].map(
      httpServer,
    ),
  ]
}

type Program = (root: string, name: string, target: string) => void

function image(
  name: string,
  names: string[],
  packages: string[],
  adapt: (root: string) => void,
  config: Partial<ImageRecipe['config']> = {},
): ImageRecipe {
  const command = config.Entrypoint ? {} : { Cmd: ['sh'] }
  return { name, names, packages, adapt, config: { Env: [PATH], ...command, ...config } }
}

function addShell(root: string): void {
  addBaseFiles(root)
  addBusyboxLinks(root, 'bin')
}

/** The suite's scripts call nc with options that busybox does not have; its shell would take its own nc. */
function addTools(root: string): void {
  addDebianBase(root)
  link(root, 'bin/nc', 'nc.openbsd')
  link(root, 'bin/sh', 'bash')
}

function agnhost(source: string, program: Program): ImageRecipe {
  const names = ['k8s.gcr.io/e2e-test-images/agnhost:2.21', `${REGISTRY}/agnhost:2.21`]
  const adapt = (root: string) => {
    addTools(root)
    program(root, 'agnhost', 'agnhost')
    link(root, 'agnhost-2', 'agnhost')
    makeDirectory(root, 'uploads')
    for (const file of ['localhost.crt', 'localhost.key'])
      copyFileSync(path.join(source, 'test/images/agnhost/porter', file), path.join(root, file))
  }
  return image('agnhost', names, [...DEBIAN_BASE, ...NETWORK_TOOLS], adapt, {
    Entrypoint: ['/agnhost'],
    Cmd: ['pause'],
  })
}

function webServer(source: string, name: string, program: Program): ImageRecipe {
  const adapt = (root: string) => {
    addShell(root)
    program(root, 'agnhost', 'agnhost')
    copyFileSync(path.join(source, 'test/images', name, 'html/data.json'), path.join(root, 'data.json'))
  }
  return image(name, [`${REGISTRY}/${name}:1.0`], ['busybox-static'], adapt, {
    Entrypoint: ['/agnhost'],
    Cmd: ['test-webserver'],
    WorkingDir: '/',
  })
}

/** Our nginx, with the folder where Apache's image has its pages. Four images, so that a rollout has what to change. */
function httpServer(tag: string): ImageRecipe {
  const nginx = RECIPES.find(({ name }) => name === 'nginx')!
  return {
    ...nginx,
    name: tag.replace(':', '-'),
    names: [`docker.io/library/${tag}`],
    config: { ...nginx.config, Labels: { tag } },
    adapt(root) {
      nginx.adapt(root)
      makeDirectory(root, 'usr/local/apache2')
      link(root, 'usr/local/apache2/htdocs', '/usr/share/nginx/html')
    },
  }
}
