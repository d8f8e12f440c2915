#!/bin/busybox sh
# The virtual machine's life: file systems, network, the one command that it was started for, the end.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
b=/bin/busybox
$b mount -t proc proc /proc
$b mount -t sysfs sysfs /sys
$b mount -t devtmpfs devtmpfs /dev
$b mkdir -p /dev/pts /dev/shm
$b mount -t devpts devpts /dev/pts
$b mount -t tmpfs -o mode=1777 shm /dev/shm
$b mount -t tmpfs -o mode=755 run /run
$b mkdir -p /run/result
$b mount -t 9p -o trans=virtio,version=9p2000.L,msize=524288 result /run/result
. /run/result/settings
# What the kernel loads modules with; the machine whose files these are may have none.
$b ln -sf $b /usr/sbin/modprobe
$b mkdir -p /usr/lib/modules
$b ln -sfn "$VM_TREE/lib/modules/$($b uname -r)" "/usr/lib/modules/$($b uname -r)"
$b mount -t securityfs securityfs /sys/kernel/security
$b mkdir -p /usr/share
[ -e /usr/share/apparmor-features ] || $b ln -s "$VM_APPARMOR/usr/share/apparmor-features" /usr/share/apparmor-features
$b ln -sf "$VM_APPARMOR/sbin/apparmor_parser" /usr/sbin/apparmor_parser
for folder in apparmor apparmor.d; do
  [ -e "/etc/$folder" ] || $b ln -s "$VM_APPARMOR/etc/$folder" "/etc/$folder"
done
$b mount -t cgroup2 cgroup2 /sys/fs/cgroup
# A disk of its own: containers' layers cannot lie on another overlay. The project may lie below it.
$b mkdir /run/tmp
$b mount --bind /tmp /run/tmp
$b mount -t ext4 /dev/vda /tmp
case "$VM_PROJECT" in
/tmp/*)
  $b mkdir -p "$VM_PROJECT"
  $b mount --bind "/run$VM_PROJECT" "$VM_PROJECT"
  ;;
esac
$b chmod 1777 /tmp
$b ip link set lo up
$b ip link set eth0 up
$b ip address add 10.0.2.15/24 dev eth0
$b ip route add default via 10.0.2.2
$b hostname vm
$b stty -F /dev/hvc0 -opost
$b sh /run/result/command >/dev/hvc0 2>&1 </dev/null
echo $? >/run/result/exit-code
$b dmesg >/run/result/dmesg
$b umount /run/result
$b poweroff -f
