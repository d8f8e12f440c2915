// Makes a fresh checkout ready: npm packages, Node 24, Debian packages, kubectl, the bundle, images.
// Runs on the machine's own node (>= 20) before node_modules exists: plain JavaScript, no dependencies.
// Every step finds out by itself whether there is anything to do.
import { buildBundle } from './bundle.mjs'
import { ensureDebianPackages } from './debian-packages.mjs'
import { ensureTestHelms } from './helm.mjs'
import { ensureImages } from './images.mjs'
import { ensureKubectl, ensureTestKubectls } from './kubectl.mjs'
import { ensureNpmPackages } from './npm-packages.mjs'
import { SetupError, step } from './step.mjs'
import { ensureTestTools } from './test-tools.mjs'

const quiet = process.argv.includes('--quiet')
const forTests = process.argv.includes('--tests')

try {
  await step('npm packages', quiet, ensureNpmPackages)
  await step('Debian packages', quiet, () => ensureDebianPackages({ forTests }))
  await step('kubectl', quiet, ensureKubectl)
  if (forTests) {
    await step('kubectl 1.20, 1.32 and 1.36 for the tests', quiet, ensureTestKubectls)
    await step('Helm 3.6 and 3.10 for the tests', quiet, ensureTestHelms)
    await step('registry for the tests', quiet, ensureTestTools)
  }
  await step('images', quiet, () => ensureImages({ forTests }))
  await step('program', quiet, buildBundle)
} catch (error) {
  if (!(error instanceof SetupError)) throw error
  console.error(`✘ ${error.message}`)
  process.exit(1)
}
