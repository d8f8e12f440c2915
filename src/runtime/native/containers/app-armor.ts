// AppArmor for containers: which profile each runs under. The default one is the cluster's own: compiled and loaded when
// the first container needs it, and taken out of the kernel with the cluster.
import { execFile } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Log } from '../../../base/log.ts'
import type { LinuxContainerSecurityContext } from '../../cri/cri.generated.ts'
import { CRI_CODE, CriError } from '../../cri/cri-error.ts'
import { defaultAppArmorProfile } from './app-armor-profile.ts'

export interface AppArmorPlaces {
  /** Where the kernel shows itself. */
  sys: string
  /** Where apparmor_parser may be. */
  folders: readonly string[]
  /** What a container that we ourselves may be in says of itself: profiles cannot be loaded from there. */
  inContainer: boolean
}

const THIS_MACHINE: AppArmorPlaces = {
  sys: '/sys',
  folders: ['/sbin', '/usr/sbin', '/usr/local/sbin'],
  inContainer: !!process.env.container,
}

export const appArmorProfileName = (cluster: string): string => `kubernode-${cluster}`

export class AppArmor {
  readonly #name: string
  readonly #places: AppArmorPlaces
  readonly #log: Log
  readonly #load: (text: string, parser: string) => Promise<void>
  #loaded: Promise<void> | undefined

  constructor(cluster: string, log: Log, places = THIS_MACHINE, load = loadProfile) {
    this.#log = log
    this.#name = appArmorProfileName(cluster)
    this.#places = places
    this.#load = load
  }

  /** The profile's name; undefined for none. Throws CriError, in containerd's words, when what is asked cannot be. */
  async profileFor(security: LinuxContainerSecurityContext = {}): Promise<string | undefined> {
    const { profileType, localhostRef = '' } = security.apparmor ?? {}
    if (profileType === 'Unconfined') return undefined
    const parser = this.#parser()
    if (!parser) {
      if (security.apparmor) throw new CriError(CRI_CODE.unknown, 'apparmor is not supported')
      return undefined
    }
    if (profileType === 'Localhost') return this.#named(localhostRef.replace(/^localhost\//, ''))
    if (security.privileged) return undefined
    // Without a wish it is the default too, where that can be had.
    return this.#default(parser).catch(error => {
      if (security.apparmor) throw error
      this.#log.warn({ error }, 'containers run without an AppArmor profile')
      return undefined
    })
  }

  /** Undefined where AppArmor is off, or profiles cannot be compiled. */
  #parser(): string | undefined {
    const { sys, folders, inContainer } = this.#places
    if (inContainer) return undefined
    const parameter = join(sys, 'module/apparmor/parameters/enabled')
    if (!existsSync(join(sys, 'kernel/security/apparmor')) || !existsSync(parameter)) return undefined
    if (!readFileSync(parameter, 'utf8').startsWith('Y')) return undefined
    return folders.map(folder => join(folder, 'apparmor_parser')).find(existsSync)
  }

  #named(name: string): string {
    if (this.#profiles().includes(name)) return name
    throw new CriError(CRI_CODE.unknown, `apparmor profile not found ${name}`)
  }

  /** A failure is final: what keeps the profile from being compiled does not go by itself. */
  async #default(parser: string): Promise<string> {
    this.#loaded ??= this.#profiles().includes(this.#name)
      ? Promise.resolve()
      : this.#load(defaultAppArmorProfile(this.#name), parser)
    await this.#loaded
    return this.#name
  }

  /** Lines of 'NAME (MODE)'. */
  #profiles(): string[] {
    const text = readFileSync(join(this.#places.sys, 'kernel/security/apparmor/profiles'), 'utf8')
    return text.split('\n').map(line => line.slice(0, Math.max(line.lastIndexOf(' ('), 0)))
  }
}

function loadProfile(text: string, parser: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = execFile(parser, ['--replace', '--skip-cache', '--quiet'], (error, _, words) => {
      if (!error) return resolve()
      const said = words.trim() || error.message
      reject(new CriError(CRI_CODE.unknown, `the default AppArmor profile could not be loaded: ${said}`))
    })
    child.stdin!.on('error', () => {})
    child.stdin!.end(text)
  })
}

/** Takes the cluster's profile out of the kernel; fine when it is not there. */
export function removeAppArmorProfile(cluster: string, sys = '/sys'): void {
  try {
    writeFileSync(join(sys, 'kernel/security/apparmor/.remove'), appArmorProfileName(cluster), { flag: 'r+' })
  } catch (error) {
    if (!['ENOENT', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  }
}
