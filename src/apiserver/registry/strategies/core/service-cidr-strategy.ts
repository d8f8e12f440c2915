// ServiceCIDRs say where addresses of Services come from: whenever one is written or goes, the allocator looks anew.
// Upstream: pkg/registry/networking/servicecidr, ipallocator/cidrallocator.go.
import type { ResourceInfo } from '../../../../api/resources.ts'
import type { Finish } from '../../strategy.ts'
import { DefaultStrategy } from '../default-strategy.ts'

export class ServiceCidrStrategy extends DefaultStrategy {
  readonly #changed: () => Promise<void>

  constructor(info: ResourceInfo, changed: () => Promise<void>) {
    super(info)
    this.#changed = changed
  }

  beginCreate(): Finish {
    return this.#changed
  }

  beginUpdate(): Finish {
    return this.#changed
  }

  afterDelete(): Promise<void> {
    return this.#changed()
  }
}
