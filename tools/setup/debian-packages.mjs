import { existsSync } from 'node:fs'
import { onPath, run, SetupError } from './step.mjs'

/** What the program needs: command or file → package. */
const NEEDED = [
  { has: () => onPath('crun') || onPath('runc'), package: 'crun', why: 'runs containers' },
  { has: () => onPath('runc'), package: 'runc', why: 'runs containers where crun cannot' },
  { has: () => onPath('conmon'), package: 'conmon', why: 'keeps a container’s output and exit code' },
  { has: () => onPath('nft'), package: 'nftables', why: 'network rules' },
  { has: () => onPath('ip'), package: 'iproute2', why: 'pod network' },
  {
    has: () => existsSync('/bin/busybox') || existsSync('/usr/bin/busybox'),
    package: 'busybox-static',
    why: 'the busybox image',
  },
]

/** What only the tests need; see also test-tools.mjs. */
const FOR_TESTS = [
  { has: () => onPath('openssl'), package: 'openssl', why: 'checks our certificates' },
  { has: () => onPath('curl'), package: 'curl', why: 'asks pods from outside' },
  { has: () => onPath('containerd'), package: 'containerd', why: 'another container runtime to run under' },
  {
    has: () => existsSync('/usr/lib/cni/bridge'),
    package: 'containernetworking-plugins',
    why: 'containerd’s pod network',
  },
  {
    has: () => existsSync('/usr/lib/python3/dist-packages/kubernetes'),
    package: 'python3-kubernetes',
    why: 'a client in another language',
  },
]

export async function ensureDebianPackages({ forTests }) {
  const missing = [...NEEDED, ...(forTests ? FOR_TESTS : [])]
    .filter(entry => !entry.has())
    .map(entry => entry.package)
  if (missing.length === 0) return false
  const advice = `install ${missing.join(', ')} (on Debian: apt-get install ${missing.join(' ')}) and try again`
  if (!onPath('apt-get')) throw new SetupError(`Some packages are missing: ${advice}.`)
  if (process.getuid() !== 0)
    throw new SetupError(
      `Some packages are missing and only root can install them: ${advice}, or run this as root.`,
    )
  await install(missing).catch(async () => {
    await run('apt-get', ['update', '-qq'], { why: 'apt-get update' })
    await install(missing)
  })
  return true
}

function install(packages) {
  return run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], {
    why: 'installing Debian packages',
  })
}
