// The AppArmor profile of containers that name none: what a container never needs of the machine's kernel is denied,
// the rest is left to namespaces, capabilities and seccomp. Written for apparmor_parser, without files of its own.

/** `name` of a profile that is loaded as it is written: enforcing. */
export function defaultAppArmorProfile(name: string): string {
  const rules = [
    'network,',
    'capability,',
    'file,',
    'umount,',
    // The node ends and looks into its containers; containers do so among themselves only.
    'signal (receive) peer=unconfined,',
    `signal (send, receive) peer=${name},`,
    `ptrace (read, trace, readby, tracedby) peer=${name},`,
    'ptrace (readby, tracedby) peer=unconfined,',
    'unix,',
    ...DENIED.map(rule => `deny ${rule},`),
  ]
  return `profile ${name} flags=(attach_disconnected,mediate_deleted) {\n  ${rules.join('\n  ')}\n}\n`
}

/** Settings and doors of the whole machine. A process's own, its network's and its cgroup's are not among them. */
const DENIED = [
  'mount',
  '/proc/* w',
  '/proc/{acpi,asound,bus,driver,fs,irq,scsi,tty}/** w',
  '/proc/sys/{abi,debug,dev,fs,kernel,vm}/** w',
  '/proc/{kcore,kmem,mem,sysrq-trigger} rwklx',
  '/sys/{block,bus,class,dev,devices,hypervisor,module,power}/** wklx',
  '/sys/fs/[^c]*/** wklx',
  '/sys/kernel/** wklx',
  '/sys/{firmware,kernel/security}/** rwklx',
]
