import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { cgroupDetails } from './cgroup-details.ts'

/** Files of a cgroup mount, and of /proc for one process with three descriptors, one of them a socket. */
function withFiles(files: Record<string, string>, work: (mount: string, proc: string) => void): void {
  const dir = mkdtempSync(join(tmpdir(), 'kubernode-details-'))
  try {
    for (const [file, content] of Object.entries(files)) {
      mkdirSync(dirname(join(dir, 'cgroup', file)), { recursive: true })
      writeFileSync(join(dir, 'cgroup', file), content)
    }
    for (const folder of ['fd', 'task/7', 'task/8'])
      mkdirSync(join(dir, 'proc/7', folder), { recursive: true })
    for (const [fd, target] of [
      ['0', '/dev/null'],
      ['1', 'pipe:[5]'],
      ['2', 'socket:[9]'],
    ] as const)
      symlinkSync(target, join(dir, 'proc/7/fd', fd))
    writeFileSync(join(dir, 'proc/7/limits'), 'Limit Soft Hard\nMax open files   1024  4096  files\n')
    work(join(dir, 'cgroup'), join(dir, 'proc'))
  } finally {
    rmSync(dir, { recursive: true })
  }
}

const process = { processes: 1, threads: 2, fileDescriptors: 3, sockets: 1, openFilesLimit: 1024 }

const cases: [title: string, files: Record<string, string>][] = [
  [
    'the unified hierarchy',
    {
      'cgroup.controllers': 'cpu memory io pids\n',
      'pod/c/cgroup.procs': '7\n',
      'pod/c/cpu.stat':
        'usage_usec 30\nuser_usec 20\nsystem_usec 10\nnr_periods 5\nnr_throttled 2\nthrottled_usec 7\n',
      'pod/c/cpu.max': '5000 100000\n',
      'pod/c/cpu.weight': '3\n',
      'pod/c/memory.stat': 'anon 700\nfile 300\nfile_mapped 40\npgfault 5\npgmajfault 1\n',
      'pod/c/memory.events': 'low 0\nmax 4\noom_kill 1\n',
      'pod/c/memory.peak': '1200\n',
      'pod/c/memory.max': '4096\n',
      'pod/c/memory.swap.current': '0\n',
      'pod/c/memory.swap.max': '0\n',
      'pod/c/pids.max': 'max\n',
      'pod/c/io.stat': '8:0 rbytes=10 wbytes=20 rios=1 wios=2 dbytes=0\n',
    },
  ],
  [
    'separate hierarchies',
    {
      'cpuacct/pod/c/cpuacct.stat': 'user 2\nsystem 1\n',
      'cpu/pod/c/cpu.stat': 'nr_periods 5\nnr_throttled 2\nthrottled_time 7000\n',
      'cpu/pod/c/cpu.shares': '54\n',
      'cpu/pod/c/cpu.cfs_period_us': '100000\n',
      'cpu/pod/c/cpu.cfs_quota_us': '5000\n',
      'memory/pod/c/cgroup.procs': '7\n',
      'memory/pod/c/memory.stat':
        'cache 1\ntotal_cache 300\ntotal_mapped_file 40\ntotal_pgfault 5\ntotal_pgmajfault 1\n',
      'memory/pod/c/memory.max_usage_in_bytes': '1200\n',
      'memory/pod/c/memory.failcnt': '4\n',
      'memory/pod/c/memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 1\n',
      'memory/pod/c/memory.limit_in_bytes': '4096\n',
      'memory/pod/c/memory.memsw.limit_in_bytes': '9223372036854771712\n',
      'pids/pod/c/pids.max': 'max\n',
      'blkio/pod/c/blkio.throttle.io_serviced_recursive': '8:0 Read 1\n8:0 Write 2\n8:0 Sync 3\nTotal 3\n',
      'blkio/pod/c/blkio.throttle.io_service_bytes_recursive': '8:0 Read 10\n8:0 Write 20\nTotal 30\n',
    },
  ],
]
for (const [title, files] of cases) {
  test(`${title}: time, throttling, memory, devices and limits`, () =>
    withFiles(files, (mount, proc) => {
      const { cpu, ...details } = cgroupDetails('/pod/c', mount, proc)!
      assert.equal(cpu!.user, 2 * cpu!.system)
      assert.deepEqual(details, {
        throttling: { periods: 5, throttledPeriods: 2, throttledNanoseconds: 7000 },
        memory: {
          cache: 300,
          mappedFile: 40,
          swap: 0,
          maximum: 1200,
          failures: 4,
          kills: 1,
          faults: { pgfault: 5, pgmajfault: 1 },
        },
        devices: [{ major: '8', minor: '0', reads: 1, writes: 2, readBytes: 10, writtenBytes: 20 }],
        limits: {
          cpuShares: 54,
          cpuPeriod: 100_000,
          cpuQuota: 5_000,
          memoryBytes: 4096,
          memorySwapBytes: 0,
          processes: 0,
        },
        processes: process,
      })
    }))
}

test('a cgroup that is gone has no details', () =>
  withFiles({ 'cgroup.controllers': '' }, (mount, proc) =>
    assert.equal(cgroupDetails('/pod/c', mount, proc), undefined),
  ))
