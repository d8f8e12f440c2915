// A real cluster for end-to-end tests: its own name, data directory and port; real kubectl; everything gone after.
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

const root = join(import.meta.dirname, '..', '..')
const program = join(root, 'bin', 'kubernode')
const run = promisify(execFile)

export interface Output {
  code: number
  stdout: string
  stderr: string
}

export type KubectlVersion = '1.20' | '1.32' | '1.36'

export class TestCluster {
  readonly name = `t-${randomBytes(3).toString('hex')}`
  readonly dataDir = mkdtempSync(join(tmpdir(), 'kubernode-test-'))

  readonly #more: readonly string[]

  /** `more`: further options of `kubernode up`. */
  constructor(...more: string[]) {
    this.#more = more
  }

  static async up(...more: string[]): Promise<TestCluster> {
    const cluster = new TestCluster(...more)
    await cluster.start()
    return cluster
  }

  get kubeconfig(): string {
    return join(this.dataDir, 'kubeconfig')
  }

  async start(): Promise<void> {
    const options = [...this.#which, '--port', '0', ...this.#more]
    const { code, stderr, stdout } = await kubernode('up', '--detach', ...options)
    if (code !== 0) throw new Error(`the cluster did not start: ${stderr}${stdout}${this.log()}`)
  }

  /** Loads images that only tests use, and that a cluster does not load by itself: 'redis', 'postgres', 'node'. */
  async loadImages(...names: string[]): Promise<void> {
    for (const name of names) {
      const layout = join(root, '.cache', 'test-images', name)
      const { code, stderr } = await kubernode('image', 'load', layout, ...this.#which)
      if (code !== 0) throw new Error(`the image ${name} was not loaded: ${stderr}`)
    }
  }

  /** Stops the cluster; the data stays for another start. */
  async stop(): Promise<void> {
    const { code, stderr } = await kubernode('down', '--grace', '0s', ...this.#which)
    if (code !== 0) throw new Error(`the cluster did not stop: ${stderr}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
    rmSync(this.dataDir, { recursive: true, force: true })
  }

  /** kill -9 of every process of the program (not of the containers). */
  killProgram(): void {
    const pids = execFileSync('pgrep', ['-f', `^[^ ]*node .*(${this.name}|${this.dataDir})`], {
      encoding: 'utf8',
    })
    for (const pid of pids.trim().split('\n')) process.kill(Number(pid), 'SIGKILL')
  }

  log(): string {
    const file = join(this.dataDir, 'kubernode.log')
    return existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(-40).join('\n') : ''
  }

  /** Runs kubectl and answers whatever it did. */
  async tryKubectl(
    args: readonly string[],
    options: { input?: string; version?: KubectlVersion; env?: NodeJS.ProcessEnv } = {},
  ): Promise<Output> {
    const child = spawn(kubectlBinary(options.version), args, { env: { ...this.#env, ...options.env } })
    child.stdin.end(options.input ?? '')
    return collect(child)
  }

  /** Runs kubectl, fails with its words when it fails, answers its standard output. */
  async kubectl(
    args: string | readonly string[],
    options: { input?: string; version?: KubectlVersion; env?: NodeJS.ProcessEnv } = {},
  ): Promise<string> {
    const list = typeof args === 'string' ? args.split(' ') : args
    const { code, stdout, stderr } = await this.tryKubectl(list, options)
    if (code !== 0) throw new Error(`kubectl ${list.join(' ')} exited with ${code}: ${stderr}${stdout}`)
    return stdout
  }

  /** `kubectl edit` of 'KIND NAME' with a sed script for an editor. */
  edit(what: string, script: string): Promise<Output> {
    const editor = join(this.dataDir, 'editor.sh')
    writeFileSync(editor, `#!/bin/sh\nexec sed -i '${script}' "$1"\n`, { mode: 0o755 })
    return this.tryKubectl(['edit', ...what.split(' ')], { env: { KUBE_EDITOR: editor } })
  }

  /** A kubectl that goes on (get -w, logs -f); read `lines`, end it with `stop`. */
  follow(args: string, version?: KubectlVersion): { lines: string[]; ended: Promise<Output>; stop(): void } {
    const child = spawn(kubectlBinary(version), args.split(' '), {
      env: this.#env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const lines: string[] = []
    let rest = ''
    child.stdout.setEncoding('utf8').on('data', chunk => {
      const parts = (rest + chunk).split('\n')
      rest = parts.pop() ?? ''
      lines.push(...parts)
    })
    return { lines, ended: collect(child), stop: () => child.kill('SIGTERM') }
  }

  async json<T>(args: string): Promise<T> {
    return JSON.parse(await this.kubectl(`${args} -o json`)) as T
  }

  get #which(): string[] {
    return ['--name', this.name, '--data-dir', this.dataDir]
  }

  get #env(): NodeJS.ProcessEnv {
    return { ...process.env, KUBECONFIG: this.kubeconfig, HOME: this.dataDir }
  }
}

export function kubernode(...args: string[]): Promise<Output> {
  return collect(spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] }))
}

/** The wanted version as the set-up unpacked it. */
export function kubectlBinary(version: KubectlVersion = '1.36'): string {
  return join(root, '.cache', 'kubectl', version, 'kubectl')
}

function collect(child: ChildProcess): Promise<Output> {
  return new Promise((resolve, reject) => {
    let stdout = ''
    let stderr = ''
    child.stdout?.setEncoding('utf8').on('data', chunk => {
      stdout += chunk
    })
    child.stderr?.setEncoding('utf8').on('data', chunk => {
      stderr += chunk
    })
    child.once('error', reject)
    child.once('close', code => resolve({ code: code ?? 1, stdout, stderr }))
  })
}

type Truthy<T> = Exclude<T, false | '' | 0 | null | undefined>

/** How many times as slow as an ordinary machine this one is; deadlines are that much later. */
const SLOWNESS = Number(process.env.KUBERNODE_TEST_SLOWNESS ?? 1)

/** Asks until the answer is truthy; fails with `what` and the last error or answer after `withinMs`. */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T> | T,
  withinMs = 30_000,
): Promise<Truthy<T>> {
  const deadline = performance.now() + withinMs * SLOWNESS
  let last: unknown
  while (performance.now() < deadline) {
    try {
      const answer = await ask()
      if (answer) return answer as Truthy<T>
      last = answer
    } catch (error) {
      last = error
    }
    await sleep(100)
  }
  throw new Error(
    `${what} did not come true within ${withinMs * SLOWNESS} ms; last: ${last instanceof Error ? last.message : JSON.stringify(last)}`,
  )
}

/** The page of a Pod that is Ready, which without a probe of its own may not listen yet. */
export const pageAt = (url: string): Promise<string> =>
  eventually(`a page at ${url}`, async () => (await fetch(url)).text(), 5_000)

/** What the machine shows from outside: compared before and after, it tells what a cluster left behind. */
export async function machineState(): Promise<Record<string, string[]>> {
  const lines = async (command: string, ...args: string[]) =>
    (await run(command, args)).stdout.split('\n').filter(Boolean)
  return {
    links: (await lines('ip', '-o', 'link')).map(line => line.split(':')[1]!.trim()),
    routes: await lines('ip', 'route'),
    netns: await lines('ip', 'netns'),
    nft: await lines('nft', 'list', 'ruleset'),
    mounts: readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .map(line => line.split(' ')[4] ?? '')
      .sort(),
    devices: readdirSync('/dev').filter(name => name.startsWith('kubernode-')),
    cgroups: (await lines('find', '/sys/fs/cgroup', '-type', 'd')).sort(),
    processes: (await lines('ps', '-eo', 'args')).filter(
      line => /conmon|crun|runc|kubernode/.test(line) && !/\/test\/|ps -eo|<defunct>/.test(line),
    ),
    forwarding: [readFileSync('/proc/sys/net/ipv4/ip_forward', 'utf8')],
  }
}
