import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { AsyncQueue } from '../../base/async-queue.ts'
import { serveGrpc } from '../../base/grpc/serve-grpc.ts'
import { silentLog } from '../../base/log.ts'
import { ManualClock } from '../../base/manual-clock.ts'
import { asNamedLike, onThisMachine, pluginsRegistry } from './kubelet-folder.ts'
import type { PluginInfo } from './plugin-handler.ts'
import { PluginRegistry } from './plugin-registry.ts'
import { registrationService } from './registration-api.ts'
import { RegisteringPlugin } from './testing/registering-plugin.fixture.ts'

/** Writes down what happens to plugins, and refuses the next one with `refusal`. */
class RecordingHandler {
  readonly seen = new AsyncQueue<string>()
  refusal: { invalid?: string; failing?: string } = {}
  last: PluginInfo | undefined

  validate(): void {
    if (this.refusal.invalid) throw new Error(this.refusal.invalid)
  }

  async register(info: PluginInfo): Promise<void> {
    if (this.refusal.failing) throw new Error(this.refusal.failing)
    this.last = info
    this.seen.push(`+${info.name}`)
  }

  deregister(name: string): void {
    this.seen.push(`-${name}`)
  }
}

describe('the registry of plugins', () => {
  let rootDir: string
  let clock: ManualClock
  let handler: RecordingHandler
  let stop: AbortController
  let done: Promise<void>

  const next = async <T>(queue: AsyncQueue<T>): Promise<T> => (await queue.next()).value

  function startRegistry(): void {
    stop = new AbortController()
    const registry = new PluginRegistry({ rootDir, clock, log: silentLog })
    registry.addHandler('CSIPlugin', handler)
    done = registry.run(stop.signal)
  }

  beforeEach(() => {
    rootDir = mkdtempSync(join(tmpdir(), 'plugins-test-'))
    mkdirSync(pluginsRegistry(rootDir))
    clock = new ManualClock()
    handler = new RecordingHandler()
  })

  afterEach(async () => {
    stop.abort()
    await done
    rmSync(rootDir, { recursive: true })
  })

  test('a plugin is registered whether its socket is there before the kubelet or comes later', async () => {
    const early = new RegisteringPlugin(rootDir, { type: 'CSIPlugin', name: 'early' })
    await early.start()
    startRegistry()
    assert.deepEqual(await next(early.heard), { pluginRegistered: true, error: '' })
    const endpoint = '/var/lib/kubelet/plugins/late/csi.sock'
    const late = new RegisteringPlugin(rootDir, { type: 'CSIPlugin', name: 'late', endpoint })
    await late.start()
    assert.deepEqual(await next(late.heard), { pluginRegistered: true, error: '' })
    assert.deepEqual([await next(handler.seen), await next(handler.seen)], ['+early', '+late'])
    assert.equal(handler.last!.endpoint, join(rootDir, 'plugins/late/csi.sock'))
    assert.equal(
      handler.last!.seenByPlugin(join(rootDir, 'pods/u/volumes')),
      '/var/lib/kubelet/pods/u/volumes',
    )
    late.stop()
    assert.equal(await next(handler.seen), '-late')
    early.stop()
    assert.equal(await next(handler.seen), '-early')
  })

  test('a plugin that comes back at the same path is registered anew', async () => {
    startRegistry()
    const plugin = new RegisteringPlugin(rootDir, { type: 'CSIPlugin', name: 'csi' })
    await plugin.start()
    await next(plugin.heard)
    plugin.stop()
    await plugin.start()
    await next(plugin.heard)
    const seen = [await next(handler.seen), await next(handler.seen), await next(handler.seen)]
    assert.deepEqual(seen, ['+csi', '-csi', '+csi'])
    plugin.stop()
  })

  test('sockets of folders within the folder count; files and hidden names do not', async () => {
    const folder = join(pluginsRegistry(rootDir), 'example.com')
    startRegistry()
    mkdirSync(folder)
    writeFileSync(join(folder, 'notes.sock'), 'no socket')
    const heard = new AsyncQueue<object>()
    const handlers = {
      GetInfo: async () => ({ type: 'CSIPlugin', name: 'inner', supportedVersions: ['1.0.0'] }),
      NotifyRegistrationStatus: async (said: object) => {
        heard.push(said)
        return {}
      },
    }
    const services = [{ service: registrationService, handlers }]
    const hidden = await serveGrpc(join(folder, '.hidden.sock'), services)
    const shown = await serveGrpc(join(folder, 'shown.sock'), services)
    await next(heard)
    assert.equal(await next(handler.seen), '+inner')
    assert.equal(handler.last!.endpoint, join(folder, 'shown.sock'))
    rmSync(folder, { recursive: true })
    assert.equal(await next(handler.seen), '-inner')
    assert.equal(heard.length, 0)
    shown.close()
    hidden.close()
  })

  const refusals: Record<string, { type?: string; refusal?: RecordingHandler['refusal']; error: string }> = {
    'of an unknown type': {
      type: 'NetworkPlugin',
      error: 'no handler registered for plugin type: NetworkPlugin at socket SOCKET',
    },
    'that is not valid': {
      refusal: { invalid: 'too old' },
      error: 'plugin validation failed with err: too old',
    },
    'that its handler cannot take': {
      refusal: { failing: 'not now' },
      error: 'plugin registration failed with err: not now',
    },
  }

  for (const [what, { type = 'CSIPlugin', refusal = {}, error }] of Object.entries(refusals)) {
    test(`a plugin ${what} is told so, and tried again with back-off`, async () => {
      handler.refusal = refusal
      startRegistry()
      const plugin = new RegisteringPlugin(rootDir, { type, name: 'csi' })
      await plugin.start()
      const text = `RegisterPlugin error -- ${error.replace('SOCKET', plugin.socket)}`
      assert.deepEqual(await next(plugin.heard), { pluginRegistered: false, error: text })
      while (clock.nextWakeAt() === undefined) await new Promise(resolve => setImmediate(resolve))
      assert.equal(clock.nextWakeAt(), clock.now() + 500)
      await clock.advance(500)
      assert.deepEqual(await next(plugin.heard), { pluginRegistered: false, error: text })
      while (clock.nextWakeAt() === undefined) await new Promise(resolve => setImmediate(resolve))
      assert.equal(clock.nextWakeAt(), clock.now() + 1_000)
      plugin.stop()
    })
  }
})

test("plugins' words for the kubelet's folder are this cluster's folder, and back", () => {
  const root = '/data/one/kubelet'
  assert.equal(onThisMachine('/var/lib/kubelet', root), root)
  assert.equal(onThisMachine('/var/lib/kubelet/device-plugins', root), `${root}/device-plugins`)
  assert.equal(onThisMachine('/var/lib/kubelet2/x', root), '/var/lib/kubelet2/x')
  assert.equal(onThisMachine('/var/lib', root), '/var/lib')
  const usual = '/var/lib/kubelet/plugins/x/csi.sock'
  assert.equal(asNamedLike(usual, `${root}/pods/u`, root), '/var/lib/kubelet/pods/u')
  assert.equal(asNamedLike(`${root}/plugins/x/csi.sock`, `${root}/pods/u`, root), `${root}/pods/u`)
  assert.equal(asNamedLike(usual, '/dev/sda', root), '/dev/sda')
})
