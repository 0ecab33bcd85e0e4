# The front doors. meson does the work; `make` alone gives build/proxmox-lxcri, which runs from there.

BUILD  ?= build
PREFIX ?= /usr/local
MESON_SETUP = meson setup --prefix=$(PREFIX)

all: $(BUILD)/build.ninja
	@ninja -C $(BUILD)

$(BUILD)/build.ninja:
	@command -v meson > /dev/null || { echo "meson is missing; as root: packaging/install-packages build" >&2; exit 1; }
	@$(MESON_SETUP) $(BUILD)

# See a container made from an image, step by step
demo:
	@packaging/install-packages build run
	@$(MAKE) --no-print-directory all
	@tests/with-cgroups packaging/demo $(BUILD)/proxmox-lxcri

# Everything: both compilers, unit tests, sanitizers, end to end, fuzzing. `make test STAGES="unit e2e"` runs a part; see tests/run
test:
	@packaging/install-packages build run test
	@tests/with-cgroups tests/run $(STAGES)

# The contract and end-to-end suites in machines like the target (Debian 13, pure cgroup v2); `make test-vm SUITE="options errors"` for some
test-vm:
	@packaging/install-packages build run test vm
	@tests/vm/run $(SUITE)

# A shell in a machine like the target (Debian 13, pure cgroup v2), on the console
vm-shell:
	@packaging/install-packages build run test vm
	@tests/vm/shell

# Our cost over the bare runtimes, paired and interleaved; then images against other tools, each from nothing to a container that has run
bench: bench-runtimes bench-images

bench-images:
	@packaging/install-packages build run test bench
	@[ -f build-bench/build.ninja ] || $(MESON_SETUP) -Dbench=true -Dtests=false build-bench
	@ninja -C build-bench
	@dir=$$(mktemp -d /var/tmp/lxcri-claims.XXXXXX) && build-bench/bench/claims $$dir/store; rm -rf $$dir
	@tests/with-cgroups bench/images build-bench/proxmox-lxcri --json build-bench/images.json --svg docs/bench-images.svg

bench-runtimes:
	@packaging/install-packages build run bench
	@[ -f build-bench/build.ninja ] || $(MESON_SETUP) -Dbench=true -Dtests=false build-bench
	@ninja -C build-bench
	@tests/with-cgroups bench/run build-bench/proxmox-lxcri build-bench/bench/compare

# Fuzz each target (FUZZ_TARGETS="tar manifest": those) for FUZZ_SECONDS. What reaches new code is saved in tests/fuzz/corpus, to be committed
FUZZ_SECONDS ?= 300
fuzz:
	@packaging/install-packages build run test
	@FUZZ_KEEP=1 FUZZ_SECONDS=$(FUZZ_SECONDS) FUZZ_TARGETS="$(FUZZ_TARGETS)" tests/run fuzz

install: all
	@meson install -C $(BUILD) --no-rebuild

clean:
	@rm -rf $(BUILD) build-*

.PHONY: all demo test test-vm vm-shell bench bench-images bench-runtimes fuzz install clean
