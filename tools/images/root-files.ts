// Writing into a container's root: the files that every image has, and small edits. Paths are relative to the root.
import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'

export interface User {
  name: string
  id: number
  home: string
  shell: string
}

export function write(root: string, file: string, content: string, mode = 0o644): void {
  makeDirectory(root, path.dirname(file))
  writeFileSync(path.join(root, file), content)
  chmodSync(path.join(root, file), mode)
}

export function makeDirectory(root: string, directory: string, mode = 0o755): void {
  mkdirSync(path.join(root, directory), { recursive: true })
  chmodSync(path.join(root, directory), mode)
}

export function link(root: string, file: string, target: string): void {
  rmSync(path.join(root, file), { force: true })
  symlinkSync(target, path.join(root, file))
}

export function removeAll(root: string, files: readonly string[]): void {
  for (const file of files) rmSync(path.join(root, file), { recursive: true, force: true })
}

/** /etc/passwd and its like, /tmp, mount points; keeps what packages brought along. */
export function addBaseFiles(root: string): void {
  for (const directory of ['dev', 'proc', 'sys', 'etc', 'run', 'var', 'bin', 'usr/bin', 'usr/sbin', 'home']) {
    if (!isLink(path.join(root, directory))) makeDirectory(root, directory)
  }
  makeDirectory(root, 'root', 0o700)
  for (const directory of ['tmp', 'var/tmp']) makeDirectory(root, directory, 0o1777)
  if (!existsSync(path.join(root, 'var/run'))) link(root, 'var/run', '/run')
  write(root, 'etc/passwd', 'root:x:0:0:root:/root:/bin/sh\n')
  write(root, 'etc/group', 'root:x:0:\ntty:x:5:\nwww-data:x:33:\n')
  write(root, 'etc/shadow', 'root:*:19000:0:99999:7:::\n', 0o640)
  addUser(root, { name: 'daemon', id: 1, home: '/usr/sbin', shell: '/bin/false' })
  addUser(root, { name: 'nobody', id: 65534, home: '/nonexistent', shell: '/bin/false' }, 'nogroup')
  // A statically linked program has no default that looks into /etc/hosts first.
  write(
    root,
    'etc/nsswitch.conf',
    'passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n',
  )
}

export function addUser(root: string, user: User, group = user.name): void {
  appendFileSync(
    path.join(root, 'etc/passwd'),
    `${user.name}:x:${user.id}:${user.id}:${user.name}:${user.home}:${user.shell}\n`,
  )
  appendFileSync(path.join(root, 'etc/group'), `${group}:x:${user.id}:\n`)
  appendFileSync(path.join(root, 'etc/shadow'), `${user.name}:!:19000:0:99999:7:::\n`)
}

/** A link for every applet that no package brought as a program of its own. */
export function addBusyboxLinks(root: string, directory: string): void {
  const busybox = path.join(root, 'bin/busybox')
  const applets = execFileSync(busybox, ['--list'], { encoding: 'utf8' }).trim().split('\n')
  const present = (name: string) =>
    ['bin', 'sbin', 'usr/bin', 'usr/sbin'].some(place => exists(path.join(root, place, name)))
  for (const applet of applets) {
    if (applet !== 'busybox' && !present(applet)) link(root, path.join(directory, applet), 'busybox')
  }
}

function exists(file: string): boolean {
  return lstatSync(file, { throwIfNoEntry: false }) !== undefined
}

function isLink(file: string): boolean {
  return lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink() ?? false
}

/** Base files and utilities for an image of Debian packages, without their documentation. */
export function addDebianBase(root: string): void {
  removeAll(root, [
    'usr/share/doc',
    'usr/share/man',
    'usr/share/lintian',
    'usr/share/bug',
    'usr/share/initramfs-tools',
    'usr/share/locale',
  ])
  addBaseFiles(root)
  addBusyboxLinks(root, 'bin')
}
