// Upstream's end-to-end suite from Debian's source package of Kubernetes (1.20), built with Debian's Go.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'

const GO = '/usr/lib/go-1.19/bin'
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'
const TESTDATA = [
  'test/conformance/testdata',
  'test/e2e/testing-manifests',
  'test/e2e_node/testing-manifests',
  'test/images',
  'test/fixtures',
]

/** Answers the source tree; its bin/ holds e2e.test, ginkgo and the programs of the images. Kept in `folder`. */
export function buildSuite(folder: string, say: (what: string) => void): string {
  const link = sourceTree(folder, say)
  if (existsSync(path.join(link, 'bin/sample-apiserver'))) return link
  say('building the suite with Go: some ten minutes')
  adaptToTokens(link)
  compile(link, folder)
  return link
}

/** Answers the source tree in its place for Go, and sees to it that Go is there. */
function sourceTree(folder: string, say: (what: string) => void): string {
  const link = path.join(folder, 'gopath/src/k8s.io/kubernetes')
  if (!existsSync(link)) {
    say('fetching the source package')
    const source = fetchSource(folder)
    mkdirSync(path.dirname(link), { recursive: true })
    symlinkSync(source, link)
  }
  if (!existsSync(path.join(GO, 'go'))) run('apt-get', ['install', '-y', '-qq', 'golang-1.19-go'], folder)
  return link
}

/** Builds a component of upstream's ('kube-scheduler') from the same tree; answers the program. */
export function buildComponent(name: string, folder: string, say: (what: string) => void): string {
  const source = sourceTree(folder, say)
  const program = path.join(source, 'bin', name)
  if (!existsSync(program)) {
    say(`building ${name} with Go`)
    mkdirSync(path.join(source, 'bin'), { recursive: true })
    goIn(source, folder)('build', '-o', program, `./cmd/${name}`)
  }
  return program
}

function fetchSource(folder: string): string {
  mkdirSync(path.join(folder, 'lists/partial'), { recursive: true })
  const list = path.join(folder, 'sources.list')
  const suites = readFileSync('/etc/os-release', 'utf8').match(/VERSION_CODENAME=(\w+)/)?.[1] ?? 'bookworm'
  writeFileSync(list, `deb-src [signed-by=${KEYRING}] http://deb.debian.org/debian ${suites} main\n`)
  const own = {
    'Dir::Etc::sourcelist': list,
    'Dir::Etc::sourceparts': '-',
    'Dir::State::lists': path.join(folder, 'lists'),
    'APT::Sandbox::User': 'root',
  }
  const options = Object.entries(own).flatMap(([key, value]) => ['-o', `${key}=${value}`])
  run('apt-get', [...options, '-qq', 'update'], folder)
  run('apt-get', [...options, '-qq', 'source', '--download-only', 'kubernetes'], folder)
  run('sh', ['-c', 'tar xf kubernetes_*.orig.tar.*'], folder)
  const name = execFileSync('sh', ['-c', 'ls -d kubernetes-*/'], { cwd: folder, encoding: 'utf8' }).trim()
  return path.join(folder, name.replace(/\/$/, ''))
}

/** Since 1.24 a service account has no Secret of its own: the suite of 1.20 would wait for one before each test. */
function adaptToTokens(source: string): void {
  const file = path.join(source, 'test/e2e/framework/util.go')
  const text = readFileSync(file, 'utf8')
  writeFileSync(file, text.replace('return len(t.Secrets) > 0, nil', 'return t != nil, nil'))
}

function goIn(source: string, folder: string): (...args: string[]) => void {
  const env = {
    ...process.env,
    PATH: `${GO}:${process.env.PATH}`,
    GOPATH: path.join(folder, 'gopath'),
    GOCACHE: path.join(folder, 'gocache'),
    GO111MODULE: 'off',
    GOFLAGS: '',
    CGO_ENABLED: '0',
    // By this name of the folder, a link, Go knows that it is in its place.
    PWD: source,
  }
  return (...args) => {
    execFileSync('go', args, { cwd: source, env, stdio: ['ignore', 'inherit', 'inherit'] })
  }
}

function compile(source: string, folder: string): void {
  const go = goIn(source, folder)
  mkdirSync(path.join(source, 'bin'), { recursive: true })
  go('build', '-o', 'bin/go-bindata', './vendor/github.com/go-bindata/go-bindata/go-bindata')
  const ignored = ['.jpg', '.png', '.md', 'BUILD(\\.bazel)?'].flatMap(pattern => ['-ignore', pattern])
  const target = ['-nometadata', '-o', 'test/e2e/generated/bindata.go', '-pkg', 'generated']
  run(
    path.join(source, 'bin/go-bindata'),
    [...target, ...ignored, ...TESTDATA.map(one => `${one}/...`)],
    source,
  )
  go('build', '-o', 'bin/agnhost', './test/images/agnhost')
  go('build', '-o', 'bin/nonewprivs', './test/images/nonewprivs')
  go('build', '-o', 'bin/consumer', './test/images/resource-consumer')
  go('build', '-o', 'bin/consume-cpu', './test/images/resource-consumer/consume-cpu')
  go('build', '-o', 'bin/ginkgo', './vendor/github.com/onsi/ginkgo/ginkgo')
  go('test', '-c', '-o', 'bin/e2e.test', './test/e2e')
  go('build', '-o', 'bin/sample-apiserver', './vendor/k8s.io/sample-apiserver')
}

function run(command: string, args: readonly string[], cwd: string): void {
  execFileSync(command, args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] })
}
