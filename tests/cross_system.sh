# Runs tests of aarch64 on a kernel of that architecture, emulated by qemu-system. tests/cross reads this file, and
# defines `inside`, `trees`, `whole_outputs` and `die`.
# shellcheck shell=bash disable=SC2154
system_modules=(virtio_blk virtio_pci ext4 9p 9pnet_virtio virtio_rng)

# Unpacks a kernel's package, Debian 12's if none was given, and makes an initial RAM disk of the modules that it needs
# to see its disks.
make_kernel() {
    local folder=$1 package=$2 version module
    mkdir -p "$folder/disk/modules" "$folder/disk/bin" "$folder/disk/tree"
    if [ -z "$package" ]; then
        package=$(chroot "$trees/aarch64" apt-cache depends linux-image-arm64 | awk '$1 == "Depends:" { print $2; exit }')
        (cd "$folder" && download "$package") || die "cannot download the kernel $package"
        package=$(echo "$folder"/linux-image-*.deb)
    fi
    (cd "$folder" && download busybox-static) || die "cannot download busybox-static"
    dpkg-deb -x "$package" "$folder/kernel"
    dpkg-deb -x "$folder"/busybox-static_*.deb "$folder/busybox"
    cp "$(find "$folder/busybox" -path "*/bin/busybox")" "$folder/disk/bin/busybox"
    [ -e "$folder/kernel/lib" ] || ln -s usr/lib "$folder/kernel/lib"
    version=$(basename "$folder"/kernel/lib/modules/*)
    /sbin/depmod -b "$folder/kernel" "$version"
    /sbin/modprobe -d "$folder/kernel" -S "$version" --show-depends -a "${system_modules[@]}" |
        awk '$1 == "insmod" && !seen[$2]++ { print $2 }' | while read -r module; do
        case $module in
            *.xz) xz -dc "$module" >"$folder/disk/modules/$(basename "$module" .xz)" ;;
            *) cp "$module" "$folder/disk/modules/" ;;
        esac
        basename "$module" .xz >>"$folder/disk/modules/order"
    done
    cat >"$folder/disk/init" <<'END'
#!/bin/busybox sh
export PATH=/bin
for command in mount insmod mkdir sleep ip; do busybox ln -s busybox /bin/$command; done
mkdir -p /dev /proc /sys
mount -t devtmpfs none /dev
mount -t proc none /proc
while read -r module; do insmod "/modules/$module"; done </modules/order
ip link set lo up
here=$(busybox sed -n 's/.*mprof\.here=\([^ ]*\).*/\1/p' /proc/cmdline)
mount -t ext4 -o noatime /dev/vda /tree
mount -t devtmpfs none /tree/dev
mkdir -p /tree/dev/pts /tree/dev/shm
for folder in dev/shm tmp run; do mount -t tmpfs -o mode=1777 none /tree/$folder; done
mkdir -p "/tree$here"
mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144,cache=mmap here "/tree$here"
mount -t proc none /tree/proc
mount -t sysfs none /tree/sys
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 none /tree/dev/pts
mount -t cgroup2 none /tree/sys/fs/cgroup
mount -t tracefs none /tree/sys/kernel/tracing
exec busybox switch_root /tree /bin/bash "$here/build/cross/kernel/commands"
END
    chmod +x "$folder/disk/init"
    (cd "$folder/disk" && find . | cpio -o -H newc --quiet | gzip -1) >"$folder/initrd.gz"
}

# Into the current directory, by the tree's apt.
download() {
    local folder
    folder=$(mktemp -d "$trees/aarch64/tmp/download.XXXXXX")
    # shellcheck disable=SC2016
    chroot "$trees/aarch64" sh -c 'cd "$0" && apt-get -q download "$@"' "${folder#"$trees/aarch64"}" "$@" >/dev/null 2>&1 &&
        mv "$folder"/*.deb .
    rmdir "$folder"
}

# system_tests REGEX LOG KERNEL-PACKAGE RESULTS RESULTS-OF-THE-SECOND-TRY
system_tests() {
    local regex=$1 log=$2 package=$3 results=$4 again=$5 folder=$PWD/build/cross/kernel emulator
    rm -rf "$folder" "$results" "$again"
    mkdir -p "$folder"
    make_kernel "$folder" "$package"
    mke2fs -q -t ext4 -O ^has_journal -d "$trees/aarch64" "$folder/tree.img" 4G
    cat >"$folder/commands" <<END
export HOME=~root PATH=/usr/sbin:/usr/bin:/sbin:/bin USER=root LC_ALL=C.UTF-8 TERM=dumb PYTHONDONTWRITEBYTECODE=1
cd '$PWD'
{
    echo "== \$(uname -rm), pages of \$(getconf PAGESIZE) bytes"
    ctest --test-dir build/cross/aarch64 ${whole_outputs[*]} --output-junit '$results' -R '$regex'
    names=\$(/usr/bin/python3 tests/support/results.py others tests/cross_failures.txt system '$results')
    if [ -n "\$names" ]; then
        echo "== second try, alone: \$names"
        ctest --test-dir build/cross/aarch64 ${whole_outputs[*]} --output-junit '$again' -R "^(\${names// /|})\\$"
    fi
} >'$folder/log' 2>&1
sync
echo o >/proc/sysrq-trigger
sleep 60
END
    qemu-system-aarch64 -machine virt -cpu max -smp 2 -m 2G -nographic -nic none -no-reboot \
        -kernel "$(echo "$folder"/kernel/boot/vmlinuz-*)" -initrd "$folder/initrd.gz" \
        -append "console=ttyAMA0 quiet panic=-1 mprof.here=$PWD" \
        -drive "if=none,id=tree,file=$folder/tree.img,format=raw,snapshot=on" -device virtio-blk-pci,drive=tree \
        -virtfs "local,path=$PWD,mount_tag=here,security_model=none,multidevs=remap" -device virtio-rng-pci \
        </dev/null >"$folder/console" 2>&1 &
    emulator=$!
    trap 'kill "$emulator" 2>/dev/null' EXIT
    wait "$emulator" || true
    trap - EXIT
    cat "$folder/log" >"$log" 2>/dev/null || tail -5 "$folder/console" >&2
}
