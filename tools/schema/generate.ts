// Generates everything that follows from the Kubernetes API's Go sources and the CRI's .proto file.
// `node tools/schema/generate.ts [--from GOPATH_SRC]`; without --from the sources come from Debian.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { criFile } from './cri-file.ts'
import { factsFile } from './facts-file.ts'
import { fetchSources } from './fetch.ts'
import { loadModel } from './model.ts'
import { parseProto } from './proto-source.ts'
import { SCALARS_FILE, typesFile } from './types-file.ts'

const { values } = parseArgs({ options: { from: { type: 'string' } } })
const project = path.join(import.meta.dirname, '../..')
const root = values.from ?? fetchSources(path.join(project, '.cache/schema'))

function write(file: string, text: string): void {
  const target = path.join(project, file)
  mkdirSync(path.dirname(target), { recursive: true })
  writeFileSync(target, text)
}

const model = loadModel(root)
rmSync(path.join(project, 'src/api/types'), { recursive: true, force: true })
write('src/api/types/scalars.ts', SCALARS_FILE)
for (const { info } of model.packages) {
  write(`src/api/types/${info.short.replace('/', '-')}.ts`, typesFile(model, info.path))
}
write('src/api/schema/schema.generated.ts', factsFile(model))
const cri = parseProto(readFileSync(path.join(root, 'k8s.io/cri-api/pkg/apis/runtime/v1/api.proto'), 'utf8'))
write('src/runtime/cri/cri.generated.ts', criFile(cri))
execFileSync(path.join(project, 'node_modules/.bin/biome'), ['check', '--write', 'src/api/types'], {
  cwd: project,
  stdio: ['ignore', 'ignore', 'inherit'],
})
