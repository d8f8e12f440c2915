// What the virtual machine is made of: a kernel with its modules and AppArmor's programs, from Debian packages that are
// unpacked beside the project and not installed.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs'
import path from 'node:path'
import { CACHE } from '../images/build-image.ts'
import { KERNEL, unpackPackage } from './debian-packages.ts'

export interface GuestParts {
  /** Holds boot/ and lib/modules/. */
  tree: string
  /** Holds sbin/apparmor_parser and what it reads in etc/. */
  appArmor: string
  release: string
  kernel: string
}

/** Its programs run with the C library of every younger one. */
const OLDEST_SUITE = 'bookworm'

/** Of a suite of Debian's; downloaded once. */
export function guestParts(suite: string): GuestParts {
  const tree = path.join(CACHE, 'vm', suite)
  const modules = path.join(tree, 'lib/modules')
  const isThere = () => existsSync(modules) && existsSync(path.join(modules, onlyOf(modules), 'modules.dep'))
  if (!isThere()) prepare(suite, tree)
  const release = onlyOf(modules)
  const appArmor = path.join(CACHE, 'vm', 'apparmor')
  if (!existsSync(appArmor)) unpackPackage(OLDEST_SUITE, 'apparmor', appArmor)
  return { tree, appArmor, release, kernel: path.join(tree, 'boot', `vmlinuz-${release}`) }
}

function prepare(suite: string, tree: string): void {
  unpackPackage(suite, KERNEL, tree)
  // Younger suites have everything below /usr, and modules compressed.
  const merged = path.join(tree, 'usr/lib/modules')
  if (existsSync(merged)) {
    mkdirSync(path.join(tree, 'lib'), { recursive: true })
    renameSync(merged, path.join(tree, 'lib/modules'))
  }
  const release = onlyOf(path.join(tree, 'lib/modules'))
  execFileSync('find', [path.join(tree, 'lib/modules'), '-name', '*.ko.xz', '-exec', 'xz', '-d', '{}', '+'])
  // It finds out which module needs which others.
  execFileSync('busybox', ['depmod', '-b', tree, release])
}

const onlyOf = (folder: string) => readdirSync(folder)[0]!

/** Files of these modules and of all that they need, in the order in which they must be loaded. */
export function moduleFiles({ tree, release }: GuestParts, names: readonly string[]): string[] {
  const folder = path.join(tree, 'lib/modules', release)
  const needs = new Map<string, string[]>()
  for (const line of readFileSync(path.join(folder, 'modules.dep'), 'utf8').split('\n')) {
    const [file = '', others = ''] = line.split(':')
    needs.set(file, others.split(' ').filter(Boolean))
  }
  const found = new Set<string>()
  const add = (file: string) => {
    for (const other of needs.get(file) ?? []) if (!found.has(other)) add(other)
    found.add(file)
  }
  for (const name of names) {
    const file = [...needs.keys()].find(one => path.basename(one) === `${name}.ko`)
    if (file) add(file)
  }
  return [...found].map(file => path.join(folder, file))
}
