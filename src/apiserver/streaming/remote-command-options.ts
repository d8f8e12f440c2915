// v1.PodExecOptions and v1.PodAttachOptions from a query. Upstream: the conversions from url.Values, and
// remotecommand.NewOptions of the kubelet's streaming server.

import type { AttachOptions, ExecOptions } from '../../api/node-access.ts'
import { isTrue } from '../http/request-info.ts'
import { PlainRefusal } from './upgrade.ts'

/** `container` is as asked, perhaps empty. */
export function parseAttachOptions(query: URLSearchParams): AttachOptions {
  const flag = (name: string) => isTrue(query.getAll(name))
  const tty = flag('tty')
  return {
    container: query.get('container') ?? '',
    stdin: flag('stdin'),
    stdout: flag('stdout'),
    // A terminal has one output.
    stderr: flag('stderr') && !tty,
    tty,
  }
}

export function parseExecOptions(query: URLSearchParams): ExecOptions {
  return { ...parseAttachOptions(query), command: query.getAll('command') }
}

export function requireAnyStream({ stdin, stdout, stderr }: AttachOptions): void {
  if (!stdin && !stdout && !stderr)
    throw new PlainRefusal(400, 'you must specify at least 1 of stdin, stdout, stderr')
}
