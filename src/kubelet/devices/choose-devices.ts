// Which devices of a resource a container is given. Pure. Upstream: devicemanager/manager.go devicesToAllocate.

export interface DeviceChoice {
  pod: string
  container: string
  resource: string
  /** How many the container asks for. */
  required: number
  /** What the container has already: of an earlier start. */
  given: ReadonlySet<string> | undefined
  /** What init containers of the same pod had. */
  reusable: ReadonlySet<string>
  /** Undefined: no plugin has registered the resource. */
  healthy: ReadonlySet<string> | undefined
  /** By whomever. */
  inUse: ReadonlySet<string>
}

export interface DevicesToGive {
  /** What is given in any case. */
  chosen: string[]
  /** How many more, out of `available`. */
  more: number
  available: string[]
}

/** Throws with the text that the pod shows. Undefined: the container has what it needs. */
export function chooseDevices(choice: DeviceChoice): DevicesToGive | undefined {
  const { resource, required, given, reusable, healthy, inUse } = choice
  if (given && given.size !== required) throw new Error(changedRequest(choice, given.size))
  if (!healthy) throw new Error(`cannot allocate unregistered device ${resource}`)
  const unhealthy = `cannot allocate unhealthy devices ${resource}`
  if (healthy.size === 0) throw new Error(`no healthy devices present; ${unhealthy}`)
  if (given && [...given].some(id => !healthy.has(id)))
    throw new Error(`previously allocated devices are no longer healthy; ${unhealthy}`)
  if (given || required === 0) return undefined
  const chosen = [...reusable].slice(0, required)
  const more = required - chosen.length
  const available = [...healthy].filter(id => !inUse.has(id) && !chosen.includes(id)).sort()
  if (available.length < more) {
    const counts = `Requested: ${more}, Available: ${available.length}`
    throw new Error(`requested number of devices unavailable for ${resource}. ${counts}`)
  }
  return { chosen, more, available }
}

const changedRequest = ({ pod, container, resource, required }: DeviceChoice, had: number) =>
  `pod "${pod}" container "${container}" changed request for resource "${resource}" from ${had} to ${required}`

/** All that is given: what the plugin prefers goes first, as far as it may be had. */
export function withPreferred(
  { chosen, more, available }: DevicesToGive,
  preferred: readonly string[],
): string[] {
  const liked = preferred.filter(id => available.includes(id))
  const others = available.filter(id => !liked.includes(id))
  return [...chosen, ...[...new Set(liked), ...others].slice(0, more)]
}
