// Real Helm, as old as 3.6 and newer, with a chart of every kind that charts are made of: it reads the schema in
// protobuf, waits on statuses of its own reading, and keeps its releases in Secrets.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { eventually, type Output, TestCluster } from './test-cluster.ts'

type HelmVersion = '3.6' | '3.10'

const chart = join(import.meta.dirname, 'helm', 'shop')
const WAIT = ['--wait', '--timeout', '30s']
let cluster: TestCluster

before(async () => {
  cluster = await TestCluster.up()
})

after(async () => {
  const home = cluster && join(cluster.dataDir, 'helm')
  await cluster?.[Symbol.asyncDispose]()
  if (home) rmSync(home, { recursive: true, force: true })
})

function tryHelm(version: HelmVersion, ...args: string[]): Promise<Output> {
  const program = join(import.meta.dirname, '..', '..', '.cache', 'helm', version, 'helm')
  const env = { ...process.env, KUBECONFIG: cluster.kubeconfig, HOME: join(cluster.dataDir, 'helm') }
  return new Promise(resolve => {
    execFile(program, args, { env }, (error, stdout, stderr) =>
      resolve({ code: error ? 1 : 0, stdout, stderr }),
    )
  })
}

async function helm(version: HelmVersion, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await tryHelm(version, ...args)
  assert.equal(code, 0, `helm ${args.join(' ')}: ${stderr}${stdout}`)
  return stdout
}

interface Revision {
  revision: number
  status: string
  description: string
}

async function history(release: string, namespace: string): Promise<string[]> {
  const revisions = JSON.parse(
    await helm('3.10', 'history', release, '-n', namespace, '-o', 'json'),
  ) as Revision[]
  return revisions.map(({ revision, status, description }) => `${revision} ${status}: ${description}`)
}

/** What a Pod of the release serves. */
const page = (namespace: string) =>
  cluster.kubectl(`exec -n ${namespace} deploy/web -- cat /usr/share/nginx/html/index.html`)

/** Mostly it waits, so two run side by side. */
test('the chart is checked against the server, installed, tested, changed and taken back', async context => {
  const versions = [
    ['3.6', 'old'],
    ['3.10', 'new'],
  ] as const
  await Promise.all(
    versions.map(([version, namespace]) =>
      context.test(`by Helm ${version}`, () => wholeLife(version, namespace)),
    ),
  )
})

async function wholeLife(version: HelmVersion, namespace: string): Promise<void> {
  const inNamespace = (...args: string[]) => helm(version, ...args, '-n', namespace)
  assert.match(await helm(version, 'lint', chart), /1 chart\(s\) linted, 0 chart\(s\) failed/)
  assert.match(
    await inNamespace('install', 'web', chart, '--create-namespace', '--wait-for-jobs', ...WAIT),
    /STATUS: deployed\nREVISION: 1\nNOTES:\nweb says welcome\./,
  )
  assert.equal(await page(namespace), 'welcome 1')
  assert.match(await inNamespace('template', 'web', chart, '--validate'), /apiVersion: autoscaling\/v2\n/)
  assert.match(
    await inNamespace('test', 'web', '--logs'),
    /Phase: +Succeeded[\s\S]*POD LOGS: web-page\nwelcome 1/,
  )

  await inNamespace('upgrade', 'web', chart, '--set', 'greeting=hello,replicas=3', ...WAIT)
  assert.equal(
    await cluster.kubectl(`get deploy web -n ${namespace} -o jsonpath={.status.availableReplicas}`),
    '3',
  )
  await eventually('the new page', async () => (await page(namespace)) === 'hello 2')
  assert.match(await inNamespace('get', 'values', 'web'), /greeting: hello\nreplicas: 3\n/)
  assert.match(await inNamespace('get', 'manifest', 'web'), /kind: PodDisruptionBudget/)
  assert.match(await inNamespace('get', 'hooks', 'web'), /name: web-migrate/)

  await inNamespace('rollback', 'web', '1', ...WAIT)
  await eventually('the old page', async () => (await page(namespace)) === 'welcome 1')
  assert.deepEqual(await history('web', namespace), [
    '1 superseded: Install complete',
    '2 superseded: Upgrade complete',
    '3 deployed: Rollback to 1',
  ])
  assert.match(await inNamespace('list'), new RegExp(`^web +\\t${namespace} +\\t3 +\\t.*\\tdeployed`, 'm'))
}

test('an upgrade whose image is not there is taken back, an install is taken away', async () => {
  const absent = ['--set', 'image=absent:1', '--atomic', '--timeout', '2s']
  const upgrade = await tryHelm('3.10', 'upgrade', 'web', chart, '-n', 'new', ...absent)
  assert.match(upgrade.stderr, /release web failed, and has been rolled back due to atomic being set/)
  assert.equal(await page('new'), 'welcome 1')
  const install = await tryHelm(
    '3.10',
    'install',
    'web',
    chart,
    '-n',
    'third',
    '--create-namespace',
    ...absent,
  )
  assert.match(install.stderr, /release web failed, and has been uninstalled due to atomic being set/)
  await eventually(
    'nothing stays',
    async () => (await cluster.kubectl('get all,offers,pvc -n third -o name')) === '',
  )
})

test('a hook that fails and an object that is refused fail the upgrade with the server’s words', async () => {
  const hook = await tryHelm('3.10', 'upgrade', 'web', chart, '-n', 'new', '--set-string', 'migrate=false')
  assert.match(hook.stderr, /pre-upgrade hooks failed: job failed: BackoffLimitExceeded/)
  const refused = await tryHelm('3.6', 'upgrade', 'web', chart, '-n', 'old', '--set', 'price=0')
  assert.match(
    refused.stderr,
    /Offer\.shop\.example\.com "web" is invalid: spec\.price: Invalid value: 0: spec\.price in body should be greater than or equal to 1/,
  )
  assert.match((await history('web', 'old')).at(-1)!, /^4 failed: Upgrade "web" failed: cannot patch "web"/)
  const kind = await tryHelm('3.6', 'upgrade', 'web', chart, '-n', 'old', '--set', 'price=dear')
  assert.match(
    kind.stderr,
    /invalid type for com\.example\.shop\.v1\.Offer\.spec\.price: got "string", expected "integer"/,
  )
})

test('a release is uninstalled, kept in the history, brought back, and gone', async () => {
  await helm('3.10', 'uninstall', 'web', '-n', 'new', '--keep-history', ...WAIT)
  assert.match(await helm('3.10', 'list', '-n', 'new', '--all'), /\tuninstalled\t/)
  assert.equal(await cluster.kubectl('get deploy,svc,ing,pdb,hpa,offers,pvc -n new -o name'), '')
  await helm('3.10', 'rollback', 'web', '1', '-n', 'new', ...WAIT)
  assert.equal(await page('new'), 'welcome 1')
  await helm('3.10', 'uninstall', 'web', '-n', 'new', ...WAIT)
  assert.equal(await cluster.kubectl('get secrets -n new -o name'), '')
  assert.match((await tryHelm('3.6', 'status', 'web', '-n', 'new')).stderr, /release: not found/)
})
