// `npm run test:v2`: end-to-end tests on Debian's kernel in a virtual machine, where cgroup v2 is mounted whole and
// AppArmor is on.
//   npm run test:v2                                   the tests that have to do with either
//   npm run test:v2 -- test/e2e/resize.test.ts        these files
//   npm run test:v2 -- --command 'uname -a'           a shell script instead
//   npm run test:v2 -- --suite trixie                 a younger kernel
import { accessSync, constants, readFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { PlainError } from '../../src/base/plain-error.ts'
import { guestParts } from './guest-parts.ts'
import { runInMachine } from './machine.ts'

const TESTS = [
  'resize',
  'metrics',
  'app-armor',
  'user-namespaces',
  'security-context',
  'lifecycle',
  'runtime-contract',
]
/** Of most things; starting programs is worse. */
const EMULATED_SLOWNESS = 15
const root = path.join(import.meta.dirname, '..', '..')

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    command: { type: 'string' },
    memory: { type: 'string', default: '4096' },
    suite: { type: 'string', default: 'bookworm' },
  },
})

try {
  process.exitCode = await main()
} catch (error) {
  if (!(error instanceof PlainError)) throw error
  console.error(`✘ ${error.message}`)
  process.exitCode = 1
}

async function main(): Promise<number> {
  if (process.arch !== 'x64')
    throw new PlainError('The virtual machine is made of this machine’s files, which must be for x86-64.')
  if (!onPath('qemu-system-x86_64'))
    throw new PlainError('qemu is missing: install it (apt-get install qemu-system-x86) and try again.')
  const hasKvm = mayUse('/dev/kvm') && virtualizes(readFileSync('/proc/cpuinfo', 'utf8'))
  if (!hasKvm)
    console.log('— /dev/kvm cannot be used here: the processor is emulated, which is 10 to 30 times as slow')
  const files = positionals.length > 0 ? positionals : TESTS.map(name => `test/e2e/${name}.test.ts`)
  const command = values.command ?? testCommand(files)
  const parts = guestParts(values.suite)
  console.log(`— a virtual machine with Linux ${parts.release}`)
  return runInMachine({
    parts,
    command: inProject(command, hasKvm ? 1 : EMULATED_SLOWNESS),
    hasKvm,
    memory: Number(values.memory),
    disk: 8192,
  })
}

function testCommand(files: readonly string[]): string {
  const options = ['--test', '--test-concurrency=1', '--test-timeout=3000000', '--test-reporter=spec']
  return [process.execPath, ...options, ...files].map(quoted).join(' ')
}

/** The shell that the machine starts knows nothing of where it is. */
function inProject(command: string, slowness: number): string {
  const bin = path.join(root, 'node_modules', '.bin')
  return `cd ${quoted(root)}\nexport PATH=${quoted(bin)}:$PATH NODE_COMPILE_CACHE=/tmp/.compile\nexport KUBERNODE_TEST_SLOWNESS=${slowness}\n${command}\n`
}

/** A device alone is not enough: where the processor shows no virtualization to us, ordinary kernels do not start. */
function virtualizes(cpuinfo: string): boolean {
  return /^flags\s*:.*\b(vmx|svm)\b/m.test(cpuinfo)
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`
}

function onPath(program: string): boolean {
  return (process.env.PATH ?? '').split(':').some(folder => mayUse(path.join(folder, program)))
}

function mayUse(file: string): boolean {
  try {
    accessSync(file, constants.R_OK)
    return true
  } catch {
    return false
  }
}
