// Gives a living container other limits, through the OCI runtime: it knows each cgroup version's files and order.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { LinuxContainerResources } from '../../cri/cri.generated.ts'

const run = promisify(execFile)

/** The arguments of `crun update` and `runc update`; both know them. What is 0 or absent stays as it is. */
export function updateArguments(resources: LinuxContainerResources): string[] {
  const flags: [string, number | string | undefined][] = [
    ['--cpu-period', resources.cpuPeriod],
    ['--cpu-quota', resources.cpuQuota],
    ['--cpu-share', resources.cpuShares],
    ['--memory', resources.memoryLimitInBytes],
    ['--memory-swap', resources.memorySwapLimitInBytes || resources.memoryLimitInBytes],
    ['--cpuset-cpus', resources.cpusetCpus],
    ['--cpuset-mems', resources.cpusetMems],
  ]
  return flags.flatMap(([flag, value]) => (value ? [flag, String(value)] : []))
}

export async function updateResources(
  runtime: string,
  ociRoot: string,
  id: string,
  resources: LinuxContainerResources,
): Promise<void> {
  const args = updateArguments(resources)
  if (args.length > 0) await run(runtime, [`--root=${ociRoot}`, 'update', ...args, id])
}
