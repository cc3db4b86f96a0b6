"""Independent jobs over processes, each on one thread, so that results do not depend on cores."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from multiprocessing import get_context
from typing import TypeVar

import torch

Job = TypeVar("Job")
Result = TypeVar("Result")


@contextmanager
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def run_all(
    work: Callable[[Job], Result],
    jobs: Sequence[Job],
    *,
    processes: int = 1,
    on_done: Callable[[], None] = lambda: None,
) -> list[Result]:
    """Return the result of every job, in the order of the jobs.

    Parameters
    ----------
    work
        A function at the top of a module, as processes need.
    jobs
        Its arguments, one after the other; begun in this order.
    processes
        How many at a time; 1 stays in this process.
    on_done
        Called after each job.
    """
    results: dict[int, Result] = {}
    if processes <= 1:
        with _one_thread():
            for number, job in enumerate(jobs):
                results[number] = work(job)
                on_done()
        return [results[number] for number in range(len(jobs))]
    pool = ProcessPoolExecutor(
        min(processes, len(jobs)),
        mp_context=get_context("spawn"),
        initializer=torch.set_num_threads,
        initargs=(1,),
    )
    with pool:
        waiting = {pool.submit(work, job): number for number, job in enumerate(jobs)}
        try:
            for done in as_completed(waiting):
                results[waiting[done]] = done.result()
                on_done()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [results[number] for number in range(len(jobs))]
