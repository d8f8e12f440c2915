// Makes the images of catalog.ts as OCI layout directories in .cache/images/NAME or, with --tests also those that only
// test suites use, in .cache/test-images/NAME. The same packages always give the same digests: names sorted, times
// fixed, owners 0.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { RECIPES } from './catalog.ts'
import { writeLayout } from './oci-layout.ts'
import type { ImageRecipe } from './recipe.ts'

const CACHE = fileURLToPath(new URL('../../.cache/', import.meta.url))

function build(recipe: ImageRecipe): void {
  // A cluster loads all of images/ at its start; test suites load what they need.
  const target = path.join(CACHE, recipe.testsOnly ? 'test-images' : 'images', recipe.name)
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

const tests = process.argv.includes('--tests')
for (const recipe of RECIPES.filter(recipe => tests || !recipe.testsOnly)) build(recipe)
if (!existsSync(path.join(CACHE, 'images'))) throw new Error('no image was made')
