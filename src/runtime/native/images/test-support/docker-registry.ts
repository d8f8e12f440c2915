// Runs Debian's docker-registry, a real registry, on a free port for one test.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import path from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { scratchDirectory } from './scratch-store.ts'

const BINARY = [
  fileURLToPath(
    new URL('../../../../../.cache/test-tools/docker-registry/usr/bin/docker-registry', import.meta.url),
  ),
  '/usr/bin/docker-registry',
].find(existsSync)

export const NEEDS_REGISTRY = BINARY ? false : 'docker-registry is missing: run "npm run setup -- --tests"'

export const USER = 'tester'
export const PASSWORD = 'secret'
/** bcrypt of PASSWORD, as `htpasswd -B` writes it. */
const HTPASSWD = `${USER}:$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n`

export interface DockerRegistry {
  /** '127.0.0.1:PORT' */
  host: string
  base: string
  /** PEM file of the authority behind its certificate, when it speaks TLS. */
  caFile?: string
  /** A request with whatever trust and credentials it takes. */
  request(
    url: string,
    method: string,
    headers: Record<string, string>,
    body?: Buffer,
  ): Promise<{ location?: string }>
}

export async function startDockerRegistry(
  context: TestContext,
  { password = false, secure = false }: { password?: boolean; secure?: boolean } = {},
): Promise<DockerRegistry> {
  const directory = scratchDirectory(context)
  mkdirSync(path.join(directory, 'data'))
  writeFileSync(path.join(directory, 'htpasswd'), HTPASSWD)
  const caFile = secure ? makeCertificates(directory) : undefined
  const config = {
    version: 0.1,
    log: { level: 'info', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: path.join(directory, 'data') } },
    http: {
      addr: '127.0.0.1:0',
      ...(secure && {
        tls: { certificate: path.join(directory, 'server.pem'), key: path.join(directory, 'server.key') },
      }),
    },
    ...(password && { auth: { htpasswd: { realm: 'test', path: path.join(directory, 'htpasswd') } } }),
  }
  // JSON is YAML.
  writeFileSync(path.join(directory, 'config.yml'), JSON.stringify(config))
  const child = spawn(BINARY!, ['serve', path.join(directory, 'config.yml')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  context.after(() => child.kill('SIGKILL'))
  const host = await listening(child)
  const base = `${secure ? 'https' : 'http'}://${host}`
  const ca = caFile ? readFileSync(caFile) : undefined
  return {
    host,
    base,
    ...(caFile && { caFile }),
    request: (url, method, headers, body) => send(url, { method, headers, ca }, password, body),
  }
}

/** It says its address in its log. */
function listening(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = ''
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      said += text
      const found = /listening on (127\.0\.0\.1:\d+)/.exec(said)
      if (found) resolve(found[1]!)
    })
    child.once('exit', () => reject(new Error(`docker-registry ended: ${said}`)))
  })
}

function send(
  url: string,
  { method, headers, ca }: { method: string; headers: Record<string, string>; ca: Buffer | undefined },
  password: boolean,
  body?: Buffer,
): Promise<{ location?: string }> {
  const auth = password ? { auth: `${USER}:${PASSWORD}` } : {}
  return new Promise((resolve, reject) => {
    const options = { method, headers, ...auth }
    const request = ca ? https.request(url, { ...options, ca }) : http.request(url, options)
    request.on('error', reject).on('response', response => {
      response.resume().on('end', () => {
        const { statusCode = 0 } = response
        if (statusCode < 300)
          resolve({ ...(response.headers.location && { location: response.headers.location }) })
        else reject(new Error(`${method} ${url}: ${statusCode}`))
      })
    })
    request.end(body)
  })
}

function makeCertificates(directory: string): string {
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: directory, stdio: 'ignore' })
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  openssl(
    'req',
    '-x509',
    ...key,
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
    '-subj',
    '/CN=test authority',
    '-days',
    '2',
  )
  openssl('req', ...key, '-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=registry')
  writeFileSync(path.join(directory, 'names'), 'subjectAltName=IP:127.0.0.1\n')
  const signing = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'names', '-days', '2']
  openssl('x509', '-req', '-in', 'server.csr', '-out', 'server.pem', ...signing)
  return path.join(directory, 'ca.pem')
}
