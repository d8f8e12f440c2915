// What a container left behind as its last words. Upstream: kuberuntime getTerminationMessage.
import { open } from 'node:fs/promises'
import type { ContainerStatus } from '../../runtime/cri/cri.generated.ts'
import { ANNOTATION } from './cri-labels.ts'

const FILE_BYTES = 4096
const LOG_BYTES = 2048
const LOG_LINES = 80

/** The runtime's message joined with the termination message, or with the log's end where the policy asks for it. */
export async function terminationMessage(status: ContainerStatus): Promise<string> {
  const written = await writtenMessage(status)
  return [status.message, written].filter(Boolean).join(': ')
}

async function writtenMessage(status: ContainerStatus): Promise<string> {
  const path = status.annotations[ANNOTATION.terminationMessagePath]
  const mount = path ? status.mounts.find(({ containerPath }) => containerPath === path) : undefined
  const text = mount ? await readTermination(mount.hostPath) : ''
  const fallsBack = status.annotations[ANNOTATION.terminationMessagePolicy] === 'FallbackToLogsOnError'
  return text === '' && fallsBack && status.exitCode !== 0 ? lastLogLines(status.logPath) : text
}

async function readTermination(file: string): Promise<string> {
  try {
    return await readPart(file, FILE_BYTES, 'start')
  } catch (error) {
    return `Error on reading termination log ${file}: ${(error as Error).message}`
  }
}

/** The text of the last log lines, without their CRI prefixes. */
async function lastLogLines(file: string): Promise<string> {
  // A CRI prefix is 40-odd bytes, so this is enough for 80 lines of 2048 bytes altogether.
  const raw = await readPart(file, LOG_BYTES + LOG_LINES * 64, 'end').catch(() => '')
  const lines = raw.split('\n').filter(line => /^\S+ (stdout|stderr) [FP]/.test(line))
  const text = lines
    .slice(-LOG_LINES)
    .map(line => line.replace(/^\S+ \S+ [FP] ?/, '') + (/^\S+ \S+ F/.test(line) ? '\n' : ''))
    .join('')
  const bytes = Buffer.from(text)
  return bytes.subarray(Math.max(0, bytes.length - LOG_BYTES)).toString()
}

async function readPart(file: string, bytes: number, where: 'start' | 'end'): Promise<string> {
  const handle = await open(file, 'r')
  try {
    const { size } = await handle.stat()
    const position = where === 'start' ? 0 : Math.max(0, size - bytes)
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(bytes), 0, bytes, position)
    return buffer.subarray(0, bytesRead).toString()
  } finally {
    await handle.close()
  }
}
