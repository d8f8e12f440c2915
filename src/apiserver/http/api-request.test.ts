import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pods } from '../../api/resources.ts'
import { StatusError } from '../../api/status-error.ts'
import { checkRoute } from './api-request.ts'
import { parseRequestInfo } from './request-info.ts'

function codeOf(method: string, path: string): number {
  const info = parseRequestInfo(method, path, new URLSearchParams())
  assert.ok(info.isResource)
  try {
    assert.equal(checkRoute(info, pods, method), pods)
    return 200
  } catch (error) {
    assert.ok(error instanceof StatusError)
    return error.status.code
  }
}

const POD = '/api/v1/namespaces/default/pods/web'
const routes: Record<string, [method: string, path: string, code: number]> = {
  'OPTIONS is for whatever is proxied': ['OPTIONS', `${POD}/proxy/a/b`, 200],
  'OPTIONS means nothing for an object': ['OPTIONS', POD, 405],
  'OPTIONS means nothing for other connections': ['OPTIONS', `${POD}/exec`, 405],
  'nothing else without a verb is proxied': ['TRACE', `${POD}/proxy/a`, 405],
  'every method with a verb is proxied': ['PATCH', `${POD}/proxy`, 200],
  'paths go on behind proxies only': ['GET', `${POD}/log/a`, 404],
}

for (const [title, [method, path, code]] of Object.entries(routes))
  test(title, () => assert.equal(codeOf(method, path), code))
