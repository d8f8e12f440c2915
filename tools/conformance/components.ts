// `npm run components`: a cluster whose scheduler and controllers are upstream's own, of 1.20 and from Debian's source
// package. They may use only what 1.36 still serves (docs/components.md).
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { CACHE } from '../images/build-image.ts'
import { buildComponent } from './build-suite.ts'

const root = path.join(import.meta.dirname, '..', '..')
const folder = path.join(CACHE, 'conformance')
const dataDir = mkdtempSync(path.join(tmpdir(), 'kubernode-components-'))
const which = ['--name', `comp-${process.pid}`, '--data-dir', dataDir]
const kubeconfig = path.join(dataDir, 'kubeconfig')
const say = (what: string) => console.log(`— ${what}`)
const kubernode = (...args: string[]) =>
  execFileSync(path.join(root, 'bin', 'kubernode'), args, { stdio: ['ignore', 'ignore', 'inherit'] })
const kubectl = (line: string) =>
  execFileSync(path.join(CACHE, 'kubectl/1.36/kubectl'), ['--kubeconfig', kubeconfig, ...line.split(' ')], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  })

const inPki = (name: string) => path.join(dataDir, 'pki', name)
// What reads versions of the API that are gone: PodDisruptionBudgets, CronJobs and EndpointSlices of v1beta1.
const GONE = ['disruption', 'cronjob', 'endpointslice', 'endpointslicemirroring']
const COMPONENTS: Readonly<Record<string, string[]>> = {
  'kube-scheduler': ['--feature-gates=PodDisruptionBudget=false'],
  'kube-controller-manager': [
    `--controllers=*,${GONE.map(name => `-${name}`).join(',')}`,
    '--use-service-account-credentials',
    `--root-ca-file=${inPki('ca.crt')}`,
    `--cluster-signing-cert-file=${inPki('ca.crt')}`,
    `--cluster-signing-key-file=${inPki('ca.key')}`,
    `--service-account-private-key-file=${inPki('sa.key')}`,
  ],
}

const children: ChildProcess[] = []
try {
  const programs = Object.keys(COMPONENTS).map(name => buildComponent(name, folder, say))
  say('starting a cluster without scheduler and controllers')
  kubernode('up', '--detach', ...which, '--port', '0', '--without', 'scheduler,controllers')
  Object.entries(COMPONENTS).forEach(([name, args], index) => {
    children.push(start(name, programs[index]!, args))
  })
  say('a namespace with a Deployment and a Service, and their end')
  until(() => kubectl('get serviceaccount default'))
  kubectl('create namespace tried')
  until(() => kubectl('-n tried get serviceaccount default'))
  kubectl('-n tried create deployment web --image=nginx --replicas=2')
  kubectl('-n tried expose deployment web --port=80')
  kubectl('-n tried wait --for=condition=Available deployment/web --timeout=60s')
  until(() => /\d+\.\d+\.\d+\.\d+/.test(kubectl('-n tried get endpoints web')) || fail('no endpoints yet'))
  kubectl('delete namespace tried --timeout=60s')
  console.log(kubectl('get leases -n kube-system'))
  say('it works')
} catch (error) {
  for (const name of Object.keys(COMPONENTS)) console.error(errorsOf(name))
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
} finally {
  for (const child of children) child.kill('SIGTERM')
  kubernode('down', ...which, '--purge', '--grace', '0s')
  rmSync(dataDir, { recursive: true, force: true })
}

function start(name: string, program: string, args: readonly string[]): ChildProcess {
  const log = openSync(path.join(folder, `${name}.log`), 'w')
  const access = ['', 'authentication-', 'authorization-'].map(kind => `--${kind}kubeconfig=${kubeconfig}`)
  const ports = ['--secure-port=0', '--port=0', `--cert-dir=${path.join(dataDir, name)}`]
  return spawn(program, [...access, ...ports, ...args], { stdio: ['ignore', log, log] })
}

/** Asks every half second, for a minute at most. */
function until(ask: () => unknown): void {
  for (let tries = 0; ; tries++) {
    try {
      ask()
      return
    } catch (error) {
      if (tries === 120) throw error
      execFileSync('sleep', ['0.5'])
    }
  }
}

function fail(words: string): never {
  throw new Error(words)
}

function errorsOf(name: string): string {
  const lines = readFileSync(path.join(folder, `${name}.log`), 'utf8').split('\n')
  return [`${name}:`, ...lines.filter(line => /^[EF]\d/.test(line)).slice(-10)].join('\n')
}
