// The runtime's fake as the kubelet's tests use it: every image is there, containers run until a test says otherwise.
import type { Clock } from '../../base/clock.ts'
import type { ContainerConfig } from '../../runtime/cri/cri.generated.ts'
import type { ContainerProgram } from '../../runtime/fake/container-program.ts'
import { FakeRuntime } from '../../runtime/fake/fake-runtime.ts'

/** What a container does when it is started: exits with a code, or (undefined) keeps running. */
export type Behaviour = (attempt: number) => number | undefined

interface Behaviours {
  /** By container name. */
  readonly behaviours: Map<string, Behaviour>
  /** Exit codes of commands run in containers, by their first word; default 0. */
  readonly commands: Map<string, () => number>
  /** How long (in clock time) a stop of that container takes; default none. */
  readonly stopMs: Map<string, number>
  /** What each container was created with last, by its name. */
  readonly configs: Map<string, ContainerConfig>
}

export class FakeCri extends FakeRuntime implements Behaviours {
  readonly behaviours: Behaviours['behaviours']
  readonly commands: Behaviours['commands']
  readonly stopMs: Behaviours['stopMs']
  readonly configs: Behaviours['configs']

  constructor(clock: Clock) {
    const told: Behaviours = {
      behaviours: new Map(),
      commands: new Map(),
      stopMs: new Map(),
      configs: new Map(),
    }
    super({ clock, images: 'all', programs: config => programOf(config, told) })
    this.behaviours = told.behaviours
    this.commands = told.commands
    this.stopMs = told.stopMs
    this.configs = told.configs
  }

  /** Images that are not there and cannot be pulled. */
  get missingImages(): Set<string> {
    return this.images.missing
  }
}

/** Asked at the creation; what concerns later moments is asked then. */
function programOf(config: ContainerConfig, told: Behaviours): ContainerProgram {
  const { name, attempt = 0 } = config.metadata
  told.configs.set(name, config)
  const exitCode = told.behaviours.get(name)?.(attempt)
  return {
    ...(exitCode !== undefined && { exitAfterMs: 0, exitCode }),
    get onStopSignal() {
      return { afterMs: told.stopMs.get(name) ?? 0, exitCode: 143 }
    },
    exec([program = '']) {
      return { exitCode: told.commands.get(program)?.() ?? (program === '/bin/false' ? 1 : 0) }
    },
  }
}
