// `npm run conformance`: upstream's own conformance tests against a cluster of this checkout.
//   npm run conformance -- --focus 'StatefulSet.*Conformance' --skip '' --nodes 1
import { execFileSync, spawn } from 'node:child_process'
import { createWriteStream, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { buildImage, CACHE } from '../images/build-image.ts'
import { buildSuite } from './build-suite.ts'
import { suiteImages } from './images.ts'

// What the suite of 1.20 expects and 1.36 does no longer do: Secrets for service accounts, and changing an event's note.
const OUTDATED = [
  'API token automount',
  'mount an API token',
  'Events API should ensure that an event can be fetched',
]

const { values } = parseArgs({
  options: {
    focus: { type: 'string', default: '\\[Conformance\\]' },
    skip: { type: 'string', default: ['\\[Serial\\]', '\\[Slow\\]', ...OUTDATED].join('|') },
    nodes: { type: 'string', default: '4' },
  },
})
const root = path.join(import.meta.dirname, '..', '..')
const folder = path.join(CACHE, 'conformance')
const program = path.join(root, 'bin', 'kubernode')
const dataDir = mkdtempSync(path.join(tmpdir(), 'kubernode-conformance-'))
const which = ['--name', `conf-${process.pid}`, '--data-dir', dataDir]
const log = path.join(folder, 'last-run.log')
const say = (what: string) => console.log(`— ${what}`)

const source = buildSuite(folder, say)
const layouts = suiteImages(source).map(recipe => {
  const layout = path.join(folder, 'images', recipe.name)
  if (!existsSync(layout)) buildImage(recipe, layout)
  return layout
})
try {
  say('starting a cluster')
  execFileSync(program, ['up', '--detach', ...which, '--port', '0'], { stdio: 'ignore' })
  for (const layout of layouts)
    execFileSync(program, ['image', 'load', layout, ...which], { stdio: 'ignore' })
  say(`running; the log is ${log}`)
  const code = await runSuite()
  const { passed, failed } = results()
  for (const name of failed) console.log(`✘ ${name}`)
  console.log(`${passed.length} passed, ${failed.length} failed`)
  process.exitCode = code
} finally {
  execFileSync(program, ['down', ...which, '--purge'], { stdio: 'ignore' })
  rmSync(dataDir, { recursive: true, force: true })
}

function runSuite(): Promise<number> {
  const bin = (name: string) => path.join(source, 'bin', name)
  const kubeconfig = path.join(dataDir, 'kubeconfig')
  const { nodes, focus, skip } = values
  const ginkgo = [`-nodes=${nodes}`, `-focus=${focus}`, ...(skip ? [`-skip=${skip}`] : []), '-noColor']
  const suite = [
    `-kubeconfig=${kubeconfig}`,
    '-provider=skeleton',
    `-kubectl-path=${path.join(CACHE, 'kubectl/1.20/kubectl')}`,
    `-repo-root=${source}`,
    '-disable-log-dump',
  ]
  const child = spawn(bin('ginkgo'), [...ginkgo, bin('e2e.test'), '--', ...suite], {
    env: { ...process.env, KUBECONFIG: kubeconfig },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const file = createWriteStream(log)
  child.stdout.pipe(file)
  child.stderr.pipe(file)
  return new Promise(resolve => child.once('close', code => resolve(code ?? 1)))
}

function results(): { passed: string[]; failed: string[] } {
  const text = readFileSync(log, 'utf8')
  const named = (word: string) => [
    ...new Set([...text.matchAll(new RegExp(`"msg":"${word} ([^"]*)"`, 'g'))].map(match => match[1]!.trim())),
  ]
  return { passed: named('PASSED'), failed: named('FAILED') }
}
