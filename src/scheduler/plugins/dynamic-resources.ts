import { type Plugin, unresolvable } from '../framework.ts'

/**
 * Devices are not given out here: a Pod that claims some waits, as on a cluster where no driver offers any, and never
 * runs without them. Upstream: dynamicresources.
 */
export const dynamicResources: Plugin = {
  name: 'DynamicResources',
  filter({ spec }) {
    return spec.resourceClaims?.length ? unresolvable('cannot allocate all claims') : undefined
  },
  mayHelp: () => false,
}
