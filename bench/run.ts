// `npm run bench`: medians beside the floor measured in the same run. Nothing here passes or fails.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from '../src/client/client.ts'
import { httpsHandler } from '../src/client/https-transport.ts'
import { readKubeconfig } from '../src/client/kubeconfig.ts'
import { clusterPaths } from '../src/cluster/paths.ts'
import { crunFloor } from './crun-floor.ts'
import { rollDeployments } from './deployments.ts'
import { dnsBench } from './dns.ts'
import { execBench } from './exec.ts'
import { kubernode, median, memoryOf, spread } from './measure.ts'
import { createToReady, deleteToGone, initPod, quickPod, removePods, settlePods, sidecarPod } from './pods.ts'
import { schedulingBench } from './scheduling.ts'
import { createToAnswer, measureRules, startServer } from './services.ts'

const RUNS = Number(process.env.BENCH_RUNS ?? 7)
const INIT_COUNTS = [0, 1, 3, 10]
const name = `bench-${process.pid}`
const dataDir = mkdtempSync(join(tmpdir(), 'kubernode-bench-'))
const which = ['--name', name, '--data-dir', dataDir, '--port', '0']

try {
  await main()
} finally {
  await kubernode('down', '--name', name, '--data-dir', dataDir, '--purge')
  rmSync(dataDir, { recursive: true, force: true })
}

async function main(): Promise<void> {
  console.log(`medians of ${RUNS} runs (smallest–largest), milliseconds\n`)
  const coldStart: number[] = []
  const firstPod: number[] = []
  for (let run = 0; run < RUNS; run++) {
    if (run > 0) await kubernode('down', '--name', name, '--data-dir', dataDir, '--purge')
    const startedAt = performance.now()
    await kubernode('up', '--detach', ...which)
    coldStart.push(performance.now() - startedAt)
    await createToReady(connect(), initPod('first', 0))
    firstPod.push(performance.now() - startedAt)
  }
  row('cold start: up to node Ready', spread(coldStart))
  row('cold start: up to first Pod Ready', spread(firstPod))

  const client = connect()
  row('memory idle, all processes', memoryOf(name, dataDir))
  console.log(
    '\n| init containers | create to Ready | floor: as many bare crun run | ratio |\n|---|---|---|---|',
  )
  for (const count of INIT_COUNTS) {
    const ours: number[] = []
    const floor: number[] = []
    for (let run = 0; run < RUNS; run++) {
      ours.push(await createToReady(client, initPod(`b-${count}-${run}`, count)))
      floor.push(await crunFloor(count + 1))
    }
    console.log(
      `| ${count} | ${spread(ours)} | ${spread(floor)} | ${(median(ours) / median(floor)).toFixed(2)} |`,
    )
  }
  console.log()
  const timed = async (measure: (run: number) => Promise<number>) => {
    const took: number[] = []
    for (let run = 0; run < RUNS; run++) took.push(await measure(run))
    return spread(took)
  }
  row(
    'two sidecars, an init container, probes: to Ready',
    await timed(run => createToReady(client, sidecarPod(`s-${run}`))),
  )
  row(
    'delete to gone, exit at once on SIGTERM',
    await timed(run => deleteToGone(client, quickPod(`q-${run}`))),
  )
  await execRows(client)
  row('50 Pods with 2 init containers, all Ready', `${Math.round(await settlePods(client, 50, 2))}`)
  row('memory with 50 Pods, all processes', memoryOf(name, dataDir))
  await removePods(client)
  const { createMs, rollMs } = await rollDeployments(client, 100)
  row('100 Deployments created, all rolled out', `${Math.round(createMs)}`)
  row('100 Deployments rolled at once', `${Math.round(rollMs)}`)
  const { podsPerSecond, memoryMb } = await schedulingBench()
  row(
    'scheduled per second, 10,000 Pods, 1,000 nodes',
    `${podsPerSecond} (${memoryMb} MB with the API server)`,
  )
  await serviceRows(client)
  const dns = await dnsBench()
  row('DNS queries per second, 1,000 Services', `${dns.queriesPerSecond} (p99 ${dns.p99Ms} ms)`)
}

async function execRows(client: Client): Promise<void> {
  const access = readKubeconfig(clusterPaths(name, dataDir).kubeconfig)
  const { roundTripMs, bareMs, megabytesPerSecond } = await execBench(client, access, dataDir, RUNS)
  row('exec of true, round trip', `${spread(roundTripMs)}, bare crun exec ${spread(bareMs)}`)
  row('exec, MB/s into and out of a container', `${megabytesPerSecond.in} / ${megabytesPerSecond.out}`)
}

async function serviceRows(client: Client): Promise<void> {
  await startServer(client)
  const answers: number[] = []
  for (let run = 0; run < RUNS; run++) answers.push(await createToAnswer(client, `bench-${run}`))
  row('Service created to first answer through it', spread(answers))
  const { install, bareInstall, change, bareChange } = measureRules()
  const beside = (ours: number, bare: number) =>
    `${ours.toFixed(1)}, bare nft ${bare.toFixed(1)}, ratio ${(ours / bare).toFixed(2)}`
  row('1,000 Services, 3 endpoints each, programmed', beside(install, bareInstall))
  row('one endpoint more in 1,000 Services', beside(change, bareChange))
}

function connect(): Client {
  return new Client(
    httpsHandler(readKubeconfig(clusterPaths(name, dataDir).kubeconfig)),
    { name: '', groups: [] },
    'bench',
  )
}

function row(what: string, figures: string): void {
  console.log(`${what.padEnd(48)} ${figures}`)
}
