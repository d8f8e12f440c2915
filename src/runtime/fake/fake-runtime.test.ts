import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ManualClock, settle } from '../../base/manual-clock.ts'
import { type ContractWorld, runtimeContract, type Script } from '../contract.ts'
import { CRI_CODE, CriError } from '../cri/cri-error.ts'
import type { ContainerProgram } from './container-program.ts'
import { FakeRuntime } from './fake-runtime.ts'

const IMAGE = 'example/shell:1'

runtimeContract('fake', openFake, { lacks: ['streaming', 'userNamespaces'] })

async function openFake(): Promise<ContractWorld> {
  const clock = new ManualClock(Date.parse('2026-01-01T00:00:00Z'))
  const runtime = new FakeRuntime({ clock, images: [{ name: IMAGE }] })
  runtime.images.pulls.set('127.0.0.1:1/none/image:1', {
    fails: new CriError(CRI_CODE.unknown, 'failed to pull 127.0.0.1:1/none/image:1: connection refused'),
  })
  const logDirectory = mkdtempSync(join(tmpdir(), 'kubernode-fake-'))
  return {
    service: runtime.service,
    image: IMAGE,
    logDirectory,
    cgroupParent: '',
    graceSeconds: 30,
    scripted(name, script) {
      runtime.programs.set(name, programOf(script))
      return {}
    },
    settle: promise => passTime(clock, promise),
    async restart() {
      runtime.restart()
    },
    async close() {
      rmSync(logDirectory, { recursive: true, force: true })
    },
  }
}

function programOf({ prints = [], exitAfterMs, exitCode, onTerm }: Script): ContainerProgram {
  return {
    ...(exitAfterMs !== undefined && { exitAfterMs }),
    ...(exitCode !== undefined && { exitCode }),
    ...(onTerm !== undefined && { onStopSignal: onTerm }),
    output: prints.map(text => ({ atMs: 0, stream: 'stdout', text })),
    exec(command) {
      if (command[0] === '/bin/sleep') return { exitCode: 0, takesMs: Number(command[1]) * 1000 }
      return { exitCode: Number(/exit (\d+)/.exec(command.join(' '))?.[1] ?? 0) }
    },
  }
}

/** Moves the clock to whoever sleeps next until the promise is settled. */
async function passTime<T>(clock: ManualClock, promise: Promise<T>): Promise<T> {
  let done = false
  const finished = promise.finally(() => {
    done = true
  })
  finished.catch(() => {})
  while (!done) {
    await settle()
    const next = clock.nextWakeAt()
    if (!done && next !== undefined) await clock.advance(next - clock.now())
    else if (!done) await new Promise(resolve => setTimeout(resolve, 1))
  }
  return finished
}
