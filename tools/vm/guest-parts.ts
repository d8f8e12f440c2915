// What the virtual machine is made of: a kernel with its modules and AppArmor's programs, from Debian packages that are
// unpacked beside the project and not installed.
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { PlainError } from '../../src/base/plain-error.ts'
import { CACHE, unpackPackages } from '../images/build-image.ts'

export interface GuestParts {
  /** Holds boot/, lib/modules/, sbin/apparmor_parser, etc/apparmor.d/. */
  tree: string
  release: string
  kernel: string
}

/** Answers at once when they are there. */
export function guestParts(): GuestParts {
  const tree = path.join(CACHE, 'vm', 'tree')
  if (!existsSync(path.join(tree, 'etc/apparmor.d'))) {
    unpackPackages([kernelPackage(), 'apparmor'], tree)
  }
  const release = readdirSync(path.join(tree, 'lib/modules'))[0]!
  // It finds out which module needs which others.
  if (!existsSync(path.join(tree, 'lib/modules', release, 'modules.dep')))
    execFileSync('busybox', ['depmod', '-b', tree, release])
  return { tree, release, kernel: path.join(tree, 'boot', `vmlinuz-${release}`) }
}

/** What the suite calls its present kernel: 'linux-image-amd64' only points to it. */
function kernelPackage(): string {
  const text = execFileSync('apt-cache', ['show', '--no-all-versions', 'linux-image-amd64'], {
    encoding: 'utf8',
  })
  const name = /^Depends: (linux-image-[^ ,]+)/m.exec(text)?.[1]
  if (!name)
    throw new PlainError('Debian’s package lists name no kernel: run "apt-get update" and try again.')
  return name
}

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
