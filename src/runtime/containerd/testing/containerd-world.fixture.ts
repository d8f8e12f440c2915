// A containerd of its own for tests: private directories and socket, images from the set-up, gone afterwards.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ContractWorld } from '../../contract.ts'
import { type CriConnection, connectCri } from '../../cri-client/connect-cri.ts'
import { removeCgroup } from '../../native/cgroup/cgroup-tree.ts'
import { file } from '../../native/images/test-support/tar-writer.ts'
import { makeImage, writeLayout } from '../../native/images/test-support/test-image.ts'
import { pauseProgram } from '../../native/sandbox/pause-program.ts'
import { unmountIfMounted } from '../../native/syscall/libc.ts'
import { BUSYBOX, NEEDS, shellOf } from '../../native/testing/native-world.fixture.ts'
import { bridgeTemplate, containerdConfig } from '../containerd-config.ts'

export const CNI_PLUGINS = '/usr/lib/cni'
const PAUSE = 'kubernode.test/pause:1'

/** Why it cannot run here; false when it can. */
export const CONTAINERD_NEEDS =
  NEEDS ||
  (['/usr/bin/containerd', join(CNI_PLUGINS, 'bridge')].every(existsSync)
    ? false
    : 'containerd or its network plugins are missing: run "npm run setup"')

export class TestContainerd {
  readonly folder = mkdtempSync(join(tmpdir(), 'kubernode-containerd-'))
  readonly socket = join(this.folder, 'containerd.sock')
  readonly bridge = `ct${process.pid}`
  #child: ReturnType<typeof spawn> | undefined

  async start(): Promise<void> {
    const config = join(this.folder, 'config.toml')
    const template = join(this.folder, 'network.template')
    for (const name of ['net.d', 'ipam']) mkdirSync(join(this.folder, name), { recursive: true })
    writeFileSync(template, bridgeTemplate(this.bridge, join(this.folder, 'ipam')))
    const place = {
      root: join(this.folder, 'root'),
      state: join(this.folder, 'state'),
      socket: this.socket,
      pauseImage: PAUSE,
      cniPlugins: CNI_PLUGINS,
      cniConfig: join(this.folder, 'net.d'),
      cniTemplate: template,
    }
    writeFileSync(config, containerdConfig(place))
    const log = openSync(join(this.folder, 'containerd.log'), 'a')
    this.#child = spawn('containerd', ['--config', config], { stdio: ['ignore', log, log] })
    const connection = connectCri(this.socket)
    try {
      await this.#answers(connection)
    } finally {
      connection.close()
    }
  }

  async #answers(connection: CriConnection): Promise<void> {
    for (let tries = 0; tries < 200; tries++) {
      const answered = await connection.version({ version: 'v1' }).catch(() => undefined)
      if (answered) return
      await sleep(50)
    }
    throw new Error(`containerd did not start: ${readFileSync(join(this.folder, 'containerd.log'), 'utf8')}`)
  }

  /** busybox under the names of the set-up, and the program that keeps pods' namespaces. */
  loadImages(): void {
    const layout = join(this.folder, 'pause')
    const image = makeImage([[file('pause', pauseProgram(), { mode: 0o755 })]], { Entrypoint: ['/pause'] })
    writeLayout(layout, image, [PAUSE])
    for (const directory of [layout, BUSYBOX]) {
      const archive = join(this.folder, 'image.tar')
      execFileSync('tar', ['-C', directory, '-cf', archive, '.'])
      execFileSync('ctr', ['-a', this.socket, '-n', 'k8s.io', 'images', 'import', archive], { stdio: 'pipe' })
    }
  }

  /** Ids of all containers and sandboxes that it knows. */
  containers(): string[] {
    const list = ['-a', this.socket, '-n', 'k8s.io', 'containers', 'list', '--quiet']
    return execFileSync('ctr', list, { encoding: 'utf8' }).split('\n').filter(Boolean)
  }

  /** Containers go on under their shims. */
  async kill(): Promise<void> {
    const ended = once(this.#child!, 'exit')
    this.#child!.kill('SIGKILL')
    await ended
  }

  async close(): Promise<void> {
    const connection = connectCri(this.socket)
    const { items } = await connection.listPodSandbox({})
    for (const { id } of items) {
      await connection.stopPodSandbox({ podSandboxId: id })
      await connection.removePodSandbox({ podSandboxId: id })
    }
    connection.close()
    const ended = once(this.#child!, 'exit')
    this.#child!.kill('SIGTERM')
    await ended
    const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .map(line => line.split(' ')[4] ?? '')
      .filter(path => path.startsWith(this.folder))
    for (const mount of mounts.reverse()) unmountIfMounted(mount)
    rmSync(this.folder, { recursive: true, force: true })
    if (existsSync(`/sys/class/net/${this.bridge}`)) execFileSync('ip', ['link', 'delete', this.bridge])
  }
}

export async function openContainerd(): Promise<ContractWorld> {
  const containerd = new TestContainerd()
  await containerd.start()
  containerd.loadImages()
  let connection = connectCri(containerd.socket)
  return {
    get service() {
      return connection
    },
    image: 'docker.io/library/busybox:1.36',
    logDirectory: join(containerd.folder, 'logs'),
    cgroupParent: `/contract-${process.pid}/kubepods`,
    graceSeconds: 1,
    scripted: (_, script) => ({ command: ['/bin/sh', '-c', shellOf(script)] }),
    settle: promise => promise,
    async restart() {
      connection.close()
      await containerd.kill()
      await containerd.start()
      connection = connectCri(containerd.socket)
    },
    async close() {
      connection.close()
      await containerd.close()
      removeCgroup(`contract-${process.pid}`)
    },
  }
}
