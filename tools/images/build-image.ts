// One image from its recipe: Debian packages unpacked, adapted and written as an OCI layout directory.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { writeLayout } from './oci-layout.ts'
import type { ImageRecipe } from './recipe.ts'

export const CACHE = fileURLToPath(new URL('../../.cache/', import.meta.url))

/** `target` is the layout directory; it is replaced. */
export function buildImage(recipe: ImageRecipe, target: string): void {
  mkdirSync(path.dirname(target), { recursive: true })
  const work = mkdtempSync(`${target}.`)
  try {
    const root = path.join(work, 'root')
    const versions = unpackPackages(recipe.packages, root)
    recipe.adapt(root)
    writeLayout(path.join(work, 'layout'), root, recipe, versions)
    rmSync(target, { recursive: true, force: true })
    renameSync(path.join(work, 'layout'), target)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** Downloads what .cache/debs lacks and unpacks; returns "NAME VERSION" of each package. */
function unpackPackages(packages: readonly string[], root: string): string[] {
  const debs = path.join(CACHE, 'debs')
  mkdirSync(debs, { recursive: true })
  mkdirSync(root, { recursive: true })
  download(packages, debs)
  return packages.map(name => {
    const file = path.join(debs, newest(debs, name))
    execFileSync('dpkg', ['-x', file, root])
    return `${name} ${execFileSync('dpkg-deb', ['-f', file, 'Version'], { encoding: 'utf8' }).trim()}`
  })
}

function download(packages: readonly string[], debs: string): void {
  const missing = packages.filter(name => candidates(debs, name).length === 0)
  if (missing.length === 0) return
  const args = ['-o', 'APT::Sandbox::User=root', '-qq', 'download', ...missing]
  try {
    execFileSync('apt-get', args, { cwd: debs, stdio: ['ignore', 'ignore', 'ignore'] })
  } catch {
    // The lists name versions that the mirror has replaced since, or there are no lists yet.
    execFileSync('apt-get', ['-qq', 'update'], { stdio: ['ignore', 'ignore', 'inherit'] })
    execFileSync('apt-get', args, { cwd: debs, stdio: ['ignore', 'ignore', 'inherit'] })
  }
}

const candidates = (debs: string, name: string) =>
  readdirSync(debs).filter(file => file.startsWith(`${name}_`))

function newest(debs: string, name: string): string {
  const found = candidates(debs, name).sort().at(-1)
  if (!found) throw new Error(`apt-get downloaded no package ${name}`)
  return found
}
