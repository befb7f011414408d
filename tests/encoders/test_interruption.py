"""Ctrl-C is noted once, and obeyed at once the second time."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from layerwise.encoders.interruption import deferred


def press() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_the_first_press_is_noted_and_the_second_interrupts() -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), deferred() as pressed:
        assert not pressed()
        press()
        assert pressed()
        press()
        pytest.fail("went on")
    assert signal.getsignal(signal.SIGINT) is before


def test_behind_the_block_it_interrupts_as_ever() -> None:
    with deferred() as pressed:
        pass
    with pytest.raises(KeyboardInterrupt):
        press()
    assert not pressed()


def test_another_thread_leaves_signals_alone() -> None:
    before, seen = signal.getsignal(signal.SIGINT), []

    def work() -> None:
        with deferred() as pressed:
            seen.append((pressed(), signal.getsignal(signal.SIGINT)))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [(False, before)]
