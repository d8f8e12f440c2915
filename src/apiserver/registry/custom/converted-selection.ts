// Field selectors for versions that a webhook makes of what is stored: the fields are those of the version that is asked
// for, so objects are converted before they are judged. Upstream: apiextensions-apiserver's versioned selectable fields.
import { FieldSelectorError, parseFieldSelector } from '../../../api/fields.ts'
import type { KubeList, KubeObject, WatchEvent } from '../../../api/kube-object.ts'
import type { RequestOptions } from '../../../api/request.ts'
import type { Endpoint } from '../endpoint.ts'
import { makeSelection, type Selection } from '../selection.ts'

/** undefined: what is stored can be judged as it is. Throws BadRequest. */
export function convertedSelection(
  { conversion, store }: Endpoint,
  options: RequestOptions,
  namespace: string | undefined,
): Selection | undefined {
  if (!conversion?.prepare || !options.fieldSelector) return undefined
  const { strategy, info } = store
  return namesAny(options.fieldSelector, strategy.selectableFields)
    ? makeSelection(options, info, strategy, namespace)
    : undefined
}

/** A selector that cannot be read is answered where all are read. */
function namesAny(fieldSelector: string, fields: object): boolean {
  try {
    return parseFieldSelector(fieldSelector).some(({ field }) => field in fields)
  } catch (error) {
    if (error instanceof FieldSelectorError) return false
    throw error
  }
}

/** Objects as they are stored. Pages may come out shorter than asked for. */
export async function listConverted(
  endpoint: Endpoint,
  selection: Selection,
  namespace: string | undefined,
  options: RequestOptions,
): Promise<KubeList<KubeObject>> {
  const { fieldSelector: _, ...others } = options
  const list = await endpoint.reader.list(namespace, others)
  return { ...list, items: await selected(endpoint, selection, list.items) }
}

async function selected(
  { conversion }: Endpoint,
  selection: Selection,
  objects: readonly KubeObject[],
): Promise<KubeObject[]> {
  await conversion?.prepare?.(objects)
  return objects.filter(object => selection.matches(conversion?.fromStored(object) ?? object))
}

const keyOf = ({ metadata: { namespace = '', name } }: KubeObject) => `${namespace}/${name}`

/** Objects that come to match are added, those that cease to are deleted. */
export async function watchConverted(
  endpoint: Endpoint,
  selection: Selection,
  namespace: string | undefined,
  options: RequestOptions,
  signal: AbortSignal | undefined,
): Promise<AsyncIterable<WatchEvent<KubeObject>>> {
  const { fieldSelector: _, ...others } = options
  const known = new Map<string, KubeObject>()
  const { resourceVersion = '0', sendInitialEvents, labelSelector } = options
  if (resourceVersion !== '0' && !sendInitialEvents) {
    const then = {
      resourceVersion,
      resourceVersionMatch: 'Exact',
      ...(labelSelector && { labelSelector }),
    } as const
    const { items } = await listConverted(endpoint, selection, namespace, then)
    for (const item of items) known.set(keyOf(item), item)
  }
  const events = await endpoint.reader.watch(namespace, others, signal)
  return judged(events, endpoint, selection, known)
}

async function* judged(
  events: AsyncIterable<WatchEvent<KubeObject>>,
  endpoint: Endpoint,
  selection: Selection,
  known: Map<string, KubeObject>,
): AsyncGenerator<WatchEvent<KubeObject>> {
  for await (const event of events) {
    if (event.type === 'BOOKMARK') {
      yield event
      continue
    }
    const { object } = event
    const key = keyOf(object)
    const before = known.get(key)
    const matches = event.type !== 'DELETED' && (await selected(endpoint, selection, [object])).length > 0
    if (matches) {
      known.set(key, object)
      yield { type: before ? 'MODIFIED' : 'ADDED', object }
    } else if (before) {
      known.delete(key)
      const { resourceVersion } = object.metadata
      yield {
        type: 'DELETED',
        object: { ...before, metadata: { ...before.metadata, ...(resourceVersion && { resourceVersion }) } },
      }
    }
  }
}
