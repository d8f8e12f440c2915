// RFC 6902 with the answers that upstream's patch handler gives (handlers/patch.go jsonPatcher).
import jsonPatch, { type Operation } from 'fast-json-patch'
import { badRequest, StatusError } from '../../api/status-error.ts'

const MAX_OPERATIONS = 10_000
const OPERATIONS = ['add', 'remove', 'replace', 'move', 'copy', 'test']

/** Throws 400 for something that is no JSON patch, 422 for one that does not fit the document. */
export function applyJsonPatch(target: object, patch: unknown): unknown {
  const operations = checkOperations(patch)
  try {
    return jsonPatch.applyPatch(structuredClone(target), structuredClone(operations), true).newDocument
  } catch {
    throw rejected()
  }
}

function checkOperations(patch: unknown): Operation[] {
  if (!Array.isArray(patch)) {
    throw badRequest(
      'error decoding patch: json: cannot unmarshal object into Go value of type jsonpatch.Patch',
    )
  }
  if (patch.length > MAX_OPERATIONS) {
    throw new StatusError({
      code: 413,
      reason: 'RequestEntityTooLarge',
      message: `Request entity too large: The allowed maximum operations in a JSON patch is ${MAX_OPERATIONS}, got ${patch.length}`,
    })
  }
  for (const operation of patch) {
    const { op, path } = (operation ?? {}) as Partial<Operation>
    if (typeof op !== 'string' || !OPERATIONS.includes(op)) {
      throw badRequest(`Unexpected kind: ${typeof op === 'string' ? op : 'unknown'}`)
    }
    if (typeof path !== 'string') throw rejected()
  }
  return patch
}

/** Upstream: NewGenericServerResponse with 422; the reason stays in the server's log. */
function rejected(): StatusError {
  return new StatusError({
    code: 422,
    reason: 'Invalid',
    message: 'the server rejected our request due to an error in our request',
    details: {},
  })
}
