// One virtual machine over this machine's own files: read-only beneath, everything written is in memory or on a disk
// that is thrown away. It runs one command; what that prints is printed, and its exit code is the answer.
import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { PlainError } from '../../src/base/plain-error.ts'
import { CACHE } from '../images/build-image.ts'
import { CHARACTER_DEVICE, type CpioEntry, cpioArchive, FILE, FOLDER } from './cpio.ts'
import { type GuestParts, moduleFiles } from './guest-parts.ts'

export interface MachineOptions {
  parts: GuestParts
  /** A shell script; it starts in '/'. */
  command: string
  /** Without it the processor is emulated. */
  hasKvm: boolean
  /** Mebibytes of memory, and of the disk at /tmp. */
  memory: number
  disk: number
}

/** Where the kernel's own messages of the last run are. */
export const CONSOLE_LOG = path.join(CACHE, 'vm', 'console.log')

const PROJECT = path.join(import.meta.dirname, '..', '..')

const FIRST_MODULES = [
  'virtio_pci',
  '9p',
  '9pnet_virtio',
  'overlay',
  'virtio_blk',
  'ext4',
  'virtio_net',
  'virtio_console',
]

export async function runInMachine(options: MachineOptions): Promise<number> {
  const work = mkdtempSync(path.join(CACHE, 'vm', 'run-'))
  try {
    const file = (name: string) => path.join(work, name)
    writeFileSync(file('first-root'), firstRoot(options.parts))
    execFileSync('mke2fs', ['-q', '-t', 'ext4', file('disk'), `${options.disk}M`], { env: withSbin() })
    mkdirSync(file('result'))
    const settings = { VM_TREE: options.parts.tree, VM_APPARMOR: options.parts.appArmor, VM_PROJECT: PROJECT }
    const lines = Object.entries(settings).map(([name, value]) => `${name}='${value}'\n`)
    writeFileSync(file('result/settings'), lines.join(''))
    writeFileSync(file('result/command'), options.command)
    await boot(qemuArguments(options, file))
    return exitCode(file('result/exit-code'))
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

function qemuArguments({ parts, hasKvm, memory }: MachineOptions, file: (name: string) => string): string[] {
  const share = (name: string, folder: string, more: string) => [
    ...['-fsdev', `local,id=${name},path=${folder},security_model=none,multidevs=remap${more}`],
    ...['-device', `virtio-9p-pci,fsdev=${name},mount_tag=${name}`],
  ]
  return [
    ...['-machine', hasKvm ? 'q35,accel=kvm' : 'q35,accel=tcg', '-cpu', hasKvm ? 'host' : 'max'],
    ...['-smp', '2', '-m', `${memory}M`, '-nodefaults', '-no-reboot', '-display', 'none'],
    ...['-kernel', parts.kernel, '-initrd', file('first-root')],
    ...['-append', 'console=ttyS0 panic=-1 systemd.unified_cgroup_hierarchy=1'],
    ...['-serial', `file:${CONSOLE_LOG}`],
    ...['-device', 'virtio-serial-pci', '-chardev', 'stdio,id=out,signal=off'],
    ...['-device', 'virtconsole,chardev=out'],
    ...share('host', '/', ',readonly=on'),
    ...share('result', file('result'), ''),
    ...['-drive', `file=${file('disk')},if=virtio,format=raw,cache=unsafe`],
    ...['-nic', 'user,restrict=on,model=virtio-net-pci'],
  ]
}

function boot(args: readonly string[]): Promise<void> {
  const child = spawn('qemu-system-x86_64', args, { stdio: ['ignore', 'inherit', 'inherit'] })
  const end = () => child.kill('SIGTERM')
  process.once('SIGINT', end).once('SIGTERM', end)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', () => resolve())
  })
}

function exitCode(file: string): number {
  try {
    return Number(readFileSync(file, 'utf8'))
  } catch {
    throw new PlainError(`The virtual machine stopped before its command had ended; see ${CONSOLE_LOG}.`)
  }
}

/** The kernel's first root: a shell, modules, and what to do. */
function firstRoot(parts: GuestParts): Buffer {
  const modules = moduleFiles(parts, FIRST_MODULES)
  const script = (name: string) => readFileSync(path.join(import.meta.dirname, 'guest', name))
  const program = (name: string, content: Buffer): CpioEntry => ({ path: name, mode: FILE | 0o755, content })
  return cpioArchive([
    { path: 'bin', mode: FOLDER | 0o755 },
    { path: 'dev', mode: FOLDER | 0o755 },
    { path: 'dev/console', mode: CHARACTER_DEVICE | 0o600, device: { major: 5, minor: 1 } },
    program('bin/busybox', readFileSync('/bin/busybox')),
    program('init', script('first-root.sh')),
    program('second-root.sh', script('second-root.sh')),
    { path: 'modules', mode: FOLDER | 0o755 },
    ...modules.map(file => program(`modules/${path.basename(file)}`, readFileSync(file))),
    program('modules/order', Buffer.from(`${modules.map(file => path.basename(file)).join('\n')}\n`)),
  ])
}

const withSbin = () => ({ ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` })
