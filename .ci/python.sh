# For the checks that need Python's packages or the AWS emulator; sourced, not run.

# Ends the check well, saying so, where there is no Python.
need_python() {
    if ! command -v python3 >/dev/null || ! python3 -c 'import venv' 2>/dev/null; then
        echo "SKIPPED: no python3 with venv here"
        exit 0
    fi
}

# Installs packages into a folder. One folder per version, so that a new version here is a new install.
venv() { # folder, packages
    if [ ! -e "$1/installed" ]; then
        python3 -m venv "$1"
        "$1/bin/pip" install --quiet --disable-pip-version-check "${@:2}"
        touch "$1/installed"
    fi
}

# The emulator, and what makes a whole stack of a template on it.
emulator="$PWD/.tools/emulator-1.5.33"
install_emulator() {
    venv "$emulator" ministack==1.5.33 aws-sam-translator==1.115.0 boto3==1.43.106
}

# Starts the emulator on a free port of its own, in a group of its own, so that the functions that it runs end with it: when
# this script ends. From then on AWS is there for whatever is started.
start_emulator() { # folder for its log and its home, variables and command
    local port
    mkdir -p "$1/home"
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    set -m
    env -i PATH=/usr/bin:/bin HOME="$1/home" BIND_HOST=127.0.0.1 IOT_MTLS_ENABLED=0 GATEWAY_PORT="$port" \
        AWS_ENDPOINT_URL="http://127.0.0.1:$port" "${@:2}" >"$1/emulator.log" 2>&1 &
    emulator_pid=$!
    set +m
    trap stop_emulator EXIT
    for _ in $(seq 300); do
        if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then break; fi
        kill -0 $emulator_pid 2>/dev/null || { cat "$1/emulator.log"; exit 1; }
        sleep 0.2
    done
    export AWS_ENDPOINT_URL="http://127.0.0.1:$port" AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test
    export AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1
}

stop_emulator() {
    kill -INT -- -$emulator_pid 2>/dev/null || true
    for _ in $(seq 50); do
        kill -0 -- -$emulator_pid 2>/dev/null || return 0
        sleep 0.2
    done
    kill -KILL -- -$emulator_pid 2>/dev/null || true
}
