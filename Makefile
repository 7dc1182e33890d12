# The front door. Meson does the work; this file remembers how to ask it.

BUILD ?= build
MESON ?= meson
BENCH_NAMES ?= 100000 300000 1000000
BENCH_RULES ?= 1000000 5000000

.PHONY: all setup demo check bench bench-analyze bench-rpz install clean help

all: $(BUILD)/build.ninja
	@$(MESON) compile -C $(BUILD)

$(BUILD)/build.ninja:
	@$(MESON) setup $(BUILD)

setup:
	@packaging/setup

demo: setup
	@$(MAKE) --no-print-directory all
	@scripts/demo $(BUILD)

check: setup
	@$(MAKE) --no-print-directory all
	@$(MESON) test -C $(BUILD) --no-rebuild --no-suite long --no-suite brief --print-errorlogs </dev/null

bench: setup
	@$(MAKE) --no-print-directory all
	@bench/run --build $(BUILD) $(BENCH_ARGS)

bench-analyze: setup
	@$(MAKE) --no-print-directory all
	@for n in $(BENCH_NAMES); do $(BUILD)/bench/bench_analyze --names $$n $(BENCH_ARGS) $(BUILD)/bench-analyze.db || exit; done

bench-rpz: setup
	@$(MAKE) --no-print-directory all
	@for n in $(BENCH_RULES); do $(BUILD)/bench/bench_rpz --rules $$n || exit; done

install: all
	@DESTDIR="$(DESTDIR)" $(MESON) install -C $(BUILD) --no-rebuild

clean:
	@rm -rf $(BUILD) build-asan build-tsan

help:
	@echo "make            build $(BUILD)/dnsmon"
	@echo "make setup      install what building and testing need (Debian 12)"
	@echo "make demo       set up, build, and find malware in a simulated month"
	@echo "make check      set up, build, run all tests but the long ones"
	@echo "make bench      measure against the reference loop (BENCH_ARGS=--quick)"
	@echo "make bench-analyze  what analyze takes for a day of BENCH_NAMES registered domains"
	@echo "make bench-rpz  memory and transfers of policy zones of BENCH_RULES rules"
	@echo "make install    install under the prefix, below DESTDIR"
	@echo "make clean      remove the build folders"
