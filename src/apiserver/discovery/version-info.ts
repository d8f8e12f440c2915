import type { VersionInfo } from './discovery-handler.ts'

/** The version of the Kubernetes API that is served; kubectl compares its own minor with this one. */
const KUBERNETES_VERSION = { major: '1', minor: '36', patch: '2' }

/** Put in when the program is bundled (tools/setup/bundle.mjs): the commit it was made from. */
declare const KUBERNODE_COMMIT: { hash: string; date: string; tree: string } | undefined

/** From the sources themselves nobody knows the commit. */
const commit =
  typeof KUBERNODE_COMMIT === 'undefined'
    ? { hash: '0'.repeat(40), date: '1970-01-01T00:00:00Z', tree: 'dirty' }
    : KUBERNODE_COMMIT

const GO_ARCHITECTURE: Record<string, string> = { x64: 'amd64', ia32: '386' }

/** GET /version. The field names are Go's; the values say honestly what runs. */
export function versionInfo(): VersionInfo {
  const { major, minor, patch } = KUBERNETES_VERSION
  return {
    major,
    minor,
    emulationMajor: major,
    emulationMinor: minor,
    minCompatibilityMajor: major,
    minCompatibilityMinor: String(Number(minor) - 1),
    gitVersion: `v${major}.${minor}.${patch}+kubernode`,
    gitCommit: commit.hash,
    gitTreeState: commit.tree,
    buildDate: commit.date,
    goVersion: `node ${process.versions.node}`,
    compiler: 'v8',
    platform: `${process.platform}/${GO_ARCHITECTURE[process.arch] ?? process.arch}`,
  }
}
