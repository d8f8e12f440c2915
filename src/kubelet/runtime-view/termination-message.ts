// What a container left behind as its last words. Upstream: kuberuntime getTerminationMessage.
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import type { ContainerStatus } from '../../runtime/cri/cri.generated.ts'
import { ANNOTATION } from './cri-labels.ts'

const FILE_BYTES = 4096
const LOG_BYTES = 2048
const LOG_LINES = 80

/** The runtime's message joined with the termination message, or with the log's end where the policy asks for it. */
export function terminationMessage(status: ContainerStatus): string {
  const written = writtenMessage(status)
  return [status.message, written].filter(Boolean).join(': ')
}

function writtenMessage(status: ContainerStatus): string {
  const path = status.annotations[ANNOTATION.terminationMessagePath]
  const mount = path ? status.mounts.find(({ containerPath }) => containerPath === path) : undefined
  const text = mount ? readTermination(mount.hostPath) : ''
  const fallsBack = status.annotations[ANNOTATION.terminationMessagePolicy] === 'FallbackToLogsOnError'
  return text === '' && fallsBack && status.exitCode !== 0 ? lastLogLines(status.logPath) : text
}

function readTermination(file: string): string {
  try {
    return readPart(file, FILE_BYTES, 'start')
  } catch (error) {
    return `Error on reading termination log ${file}: ${(error as Error).message}`
  }
}

/** The text of the last log lines, without their CRI prefixes. */
function lastLogLines(file: string): string {
  // A CRI prefix is 40-odd bytes, so this is enough for 80 lines of 2048 bytes altogether.
  const raw = readEnd(file, LOG_BYTES + LOG_LINES * 64)
  const lines = raw.split('\n').filter(line => /^\S+ (stdout|stderr) [FP]/.test(line))
  const text = lines
    .slice(-LOG_LINES)
    .map(line => line.replace(/^\S+ \S+ [FP] ?/, '') + (/^\S+ \S+ F/.test(line) ? '\n' : ''))
    .join('')
  const bytes = Buffer.from(text)
  return bytes.subarray(Math.max(0, bytes.length - LOG_BYTES)).toString()
}

function readEnd(file: string, bytes: number): string {
  try {
    return readPart(file, bytes, 'end')
  } catch {
    return ''
  }
}

/** Synchronous: the next container waits for it, and a few kilobytes are read faster than a thread is woken. */
function readPart(file: string, bytes: number, where: 'start' | 'end'): string {
  const fd = openSync(file, 'r')
  try {
    const position = where === 'start' ? 0 : Math.max(0, fstatSync(fd).size - bytes)
    const buffer = Buffer.alloc(bytes)
    return buffer.subarray(0, readSync(fd, buffer, 0, bytes, position)).toString()
  } finally {
    closeSync(fd)
  }
}
