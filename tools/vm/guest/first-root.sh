#!/bin/busybox sh
# The first program in the virtual machine. It puts the root together, the machine's own files below a writable layer in
# memory, and goes there.
/bin/busybox mkdir -p /proc /sys /dev /lower /layer /bin
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
while read -r module; do insmod "/modules/$module" || echo "the module $module was not loaded"; done </modules/order
mount -t 9p -o trans=virtio,version=9p2000.L,msize=524288,cache=loose,ro host /lower || poweroff -f
mount -t tmpfs -o size=2g,mode=755 layer /layer
mkdir -p /layer/upper /layer/work /root
mount -t overlay -o lowerdir=/lower,upperdir=/layer/upper,workdir=/layer/work root /root || poweroff -f
mkdir -p /root/run/vm
cp /second-root.sh /root/vm-init
umount /proc /sys /dev
exec switch_root /root /vm-init
