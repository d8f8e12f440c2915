// `npm start`: a cluster, a Pod with an init container, and every step of its life as it happens.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Command } from 'commander'
import { parse } from 'yaml'
import type { Draft } from '../../api/kube-object.ts'
import { pods } from '../../api/resources.ts'
import { isNotFound } from '../../api/status-error.ts'
import type { Pod } from '../../api/types/core-v1.ts'
import { type Clock, SystemClock } from '../../base/clock.ts'
import { PlainError } from '../../base/plain-error.ts'
import type { Client } from '../../client/client.ts'
import type { Cluster } from '../../cluster/start-cluster.ts'
import { type UpOptions, withUpOptions } from '../options.ts'
import { isReady, PodStory } from '../pod-story.ts'
import { stopSignal } from '../stop-signal.ts'
import { stopwatch, Terminal } from '../terminal.ts'
import { startVisibly } from './up.ts'

const READY_WITHIN_MS = 60_000
const ANSWER_WITHIN_MS = 5_000
const REFUSED_AGAIN_MS = 20

interface DemoOptions extends UpOptions {
  once?: boolean
}

export function addDemo(program: Command): void {
  withUpOptions(program.command('demo'))
    .description('start a cluster and show the life of examples/nginx-init.yaml')
    .option('--once', 'tear everything down when the Pod has answered, and exit 0 (else: stay until Ctrl-C)')
    .addHelpText('after', '\nExamples:\n  npm start\n  npm start -- --once')
    .action(demo)
}

async function demo(options: DemoOptions): Promise<void> {
  const terminal = new Terminal()
  const stop = stopSignal()
  const scratch = options.once && !options.dataDir ? mkdtempSync(join(tmpdir(), 'kubernode-')) : undefined
  try {
    const cluster = await startVisibly(
      scratch ? { ...options, port: options.port ?? 0, dataDir: scratch } : options,
      terminal,
    )
    try {
      await showPod(cluster, terminal)
      if (!options.once) {
        showHowToGoOn(cluster, terminal)
        await Promise.race([stop.requested, cluster.failed])
      }
    } finally {
      const took = stopwatch(new SystemClock())
      await cluster.stop(options.once ? 0 : undefined, stop.hurried)
      terminal.done('stopped', took())
    }
  } finally {
    if (scratch) rmSync(scratch, { recursive: true, force: true })
  }
}

async function showPod(cluster: Cluster, terminal: Terminal): Promise<void> {
  const manifest = exampleFile()
  const draft = parse(readFileSync(manifest, 'utf8'), { version: '1.1' }) as Draft<Pod>
  const key = { name: draft.metadata.name, namespace: 'default' }
  await removeOld(cluster.client, key)
  terminal.line(`\n  kubectl apply -f ${manifest}\n`)
  const story = new PodStory(terminal, new SystemClock())
  const pod = await story.follow(cluster.client, key, AbortSignal.timeout(READY_WITHIN_MS), () =>
    cluster.client.create(pods, { ...draft, metadata: { ...draft.metadata, namespace: key.namespace } }),
  )
  if (!pod || !isReady(pod)) {
    throw new PlainError(
      `Pod ${key.name} was not Ready after ${READY_WITHIN_MS / 1000} s: it is ${pod?.status.phase ?? 'absent'}.`,
    )
  }
  const page = await firstLineSoon(`http://${pod.status.podIP}/`, new SystemClock())
  terminal.line(`\n  curl http://${pod.status.podIP}/\n  ${terminal.paint('bold', page)}`)
}

function showHowToGoOn(cluster: Cluster, terminal: Terminal): void {
  terminal.line('\n  Go on in another terminal:')
  for (const command of [
    `export KUBECONFIG=${cluster.paths.kubeconfig}`,
    'kubectl get pods -o wide',
    'kubectl describe pod nginx-init',
    'kubectl delete pod nginx-init',
  ]) {
    terminal.line(`    ${terminal.paint('cyan', command)}`)
  }
  terminal.line('\n  Ctrl-C stops all of it.')
}

/** A Pod left from the last time is taken away, so that its whole life can be seen again. */
async function removeOld(client: Client, key: { name: string; namespace: string }): Promise<void> {
  try {
    await client.delete(pods, key, { gracePeriodSeconds: 0 })
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}

/** The bundle stands in dist/, the sources in src/cli/verbs/: examples/ is beside package.json. */
function exampleFile(): string {
  for (
    let directory = import.meta.dirname;
    directory !== dirname(directory);
    directory = dirname(directory)
  ) {
    const file = join(directory, 'examples', 'nginx-init.yaml')
    if (existsSync(file)) return file
  }
  throw new PlainError('examples/nginx-init.yaml is missing: run this from a complete checkout.')
}

/** A Pod without a readiness probe is Ready when its program runs, which may be before it listens. */
async function firstLineSoon(url: string, clock: Clock): Promise<string> {
  for (const until = clock.now() + ANSWER_WITHIN_MS; ; ) {
    try {
      return await firstLine(url)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ECONNREFUSED' || clock.now() > until) throw error
      await clock.sleep(REFUSED_AGAIN_MS)
    }
  }
}

function firstLine(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, { timeout: ANSWER_WITHIN_MS }, response => {
      response.setEncoding('utf8')
      let text = ''
      response.on('data', chunk => {
        text += chunk
      })
      response.on('end', () => resolve(text.split('\n', 1)[0] ?? ''))
    })
      .on('timeout', function (this: { destroy(error: Error): void }) {
        this.destroy(new Error(`${url} did not answer within ${ANSWER_WITHIN_MS / 1000} s`))
      })
      .on('error', reject)
  })
}
