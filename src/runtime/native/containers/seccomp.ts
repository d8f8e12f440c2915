// The RuntimeDefault seccomp profile: what containers must not ask of the kernel. Calls that a capability guards are
// allowed to containers that hold it. Unlisted calls are allowed: new ones of libc must not break old containers.

interface Rule {
  names: string[]
  /** Allowed when the container has one of these. */
  unless?: string[]
}

const RULES: readonly Rule[] = [
  {
    names: [
      'bpf',
      'clone3',
      'fsconfig',
      'fsmount',
      'fsopen',
      'fspick',
      'lookup_dcookie',
      'mount',
      'mount_setattr',
      'move_mount',
      'open_tree',
      'perf_event_open',
      'quotactl',
      'quotactl_fd',
      'setdomainname',
      'sethostname',
      'setns',
      'umount',
      'umount2',
      'unshare',
    ],
    unless: ['CAP_SYS_ADMIN'],
  },
  { names: ['open_by_handle_at'], unless: ['CAP_DAC_READ_SEARCH'] },
  { names: ['reboot'], unless: ['CAP_SYS_BOOT'] },
  { names: ['delete_module', 'init_module', 'finit_module'], unless: ['CAP_SYS_MODULE'] },
  { names: ['acct'], unless: ['CAP_SYS_PACCT'] },
  { names: ['iopl', 'ioperm'], unless: ['CAP_SYS_RAWIO'] },
  { names: ['settimeofday', 'stime', 'clock_settime', 'clock_settime64'], unless: ['CAP_SYS_TIME'] },
  { names: ['vhangup'], unless: ['CAP_SYS_TTY_CONFIG'] },
  { names: ['get_mempolicy', 'mbind', 'set_mempolicy', 'set_mempolicy_home_node'], unless: ['CAP_SYS_NICE'] },
  { names: ['syslog'], unless: ['CAP_SYSLOG'] },
  {
    names: [
      'add_key',
      'create_module',
      'get_kernel_syms',
      'io_uring_enter',
      'io_uring_register',
      'io_uring_setup',
      'kexec_file_load',
      'kexec_load',
      'keyctl',
      'migrate_pages',
      'move_pages',
      'nfsservctl',
      'pivot_root',
      'query_module',
      'request_key',
      'swapoff',
      'swapon',
      'sysfs',
      '_sysctl',
      'userfaultfd',
      'uselib',
      'ustat',
    ],
  },
]

const EPERM = 1
const ENOSYS = 38
/** CLONE_NEW* flags: making namespaces needs CAP_SYS_ADMIN. */
const NAMESPACE_FLAGS = 0x7e020000

/** The part of an OCI seccomp section (runtime-spec config-linux.md) that we write. */
export interface SeccompProfile {
  defaultAction: string
  architectures: string[]
  syscalls: {
    names: string[]
    action: string
    errnoRet: number
    args?: { index: number; value: number; valueTwo: number; op: string }[]
  }[]
}

export function defaultSeccomp(capabilities: readonly string[]): SeccompProfile {
  const refused = RULES.filter(({ unless }) => !unless?.some(name => capabilities.includes(name)))
  const syscalls: SeccompProfile['syscalls'] = refused.map(({ names }) => ({
    // clone3 hides its flags from filters: programs fall back to clone when it is unknown.
    names: names.filter(name => name !== 'clone3'),
    action: 'SCMP_ACT_ERRNO',
    errnoRet: EPERM,
  }))
  if (!capabilities.includes('CAP_SYS_ADMIN')) {
    syscalls.push({ names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: ENOSYS })
    for (let flag = 1; flag <= NAMESPACE_FLAGS; flag *= 2) {
      if ((flag & NAMESPACE_FLAGS) === 0) continue
      const args = [{ index: 0, value: flag, valueTwo: flag, op: 'SCMP_CMP_MASKED_EQ' }]
      syscalls.push({ names: ['clone'], action: 'SCMP_ACT_ERRNO', errnoRet: EPERM, args })
    }
  }
  return { defaultAction: 'SCMP_ACT_ALLOW', architectures: architectures(), syscalls }
}

function architectures(): string[] {
  return process.arch === 'arm64'
    ? ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM']
    : ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32']
}
