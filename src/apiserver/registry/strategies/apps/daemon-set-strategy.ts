// DaemonSets: the server counts changes of the template in an annotation, which Pods get as a label.
// Upstream: pkg/registry/apps/daemonset/strategy.go and the conversion of spec.templateGeneration.
import type { KubeObject } from '../../../../api/kube-object.ts'
import { deepEqual } from '../../deep-equal.ts'
import type { WriteContext } from '../../strategy.ts'
import { DefaultStrategy } from '../default-strategy.ts'

const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation'

export class DaemonSetStrategy extends DefaultStrategy {
  override prepareForCreate(object: KubeObject, context: WriteContext): void {
    super.prepareForCreate(object, context)
    setGeneration(object, Math.max(generationOf(object), 1))
  }

  override prepareForUpdate(object: KubeObject, old: KubeObject, context: WriteContext): void {
    super.prepareForUpdate(object, old, context)
    const isSame = deepEqual(templateOf(object), templateOf(old))
    setGeneration(object, generationOf(old) + (isSame ? 0 : 1))
  }
}

const templateOf = ({ spec }: KubeObject): unknown => (spec as { template?: unknown }).template

/** 0 when there is none, or none that is a number. */
function generationOf({ metadata }: KubeObject): number {
  const text = metadata.annotations?.[TEMPLATE_GENERATION] ?? ''
  return /^\d+$/.test(text) ? Number(text) : 0
}

function setGeneration({ metadata }: KubeObject, generation: number): void {
  metadata.annotations = { ...metadata.annotations, [TEMPLATE_GENERATION]: String(generation) }
}
