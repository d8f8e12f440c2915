import type { Plugin } from '../framework.ts'

/** A gated Pod is not tried at all; the API server wrote its condition. Upstream: schedulinggates. */
export const schedulingGates: Plugin = {
  name: 'SchedulingGates',
  wakesOn: ['podChanged'],
  prepare(pod) {
    const gates = (pod.spec.schedulingGates ?? []).map(({ name }) => name)
    return gates.length > 0
      ? { rejection: { message: `waiting for scheduling gates: [${gates.join(' ')}]` } }
      : {}
  },
}
