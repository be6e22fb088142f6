"""Many inputs to outputs: plan, work, write down what is done, and never let one failure stop the rest.

```python
from mien import batch

items = batch.plan(["photos"])
for outcome in batch.run(items, batch.PhotoWorker(), executor="processes", jobs=4):
    print(outcome.item.name, outcome.error or len(outcome.analysis.faces))
```
"""

from mien.batch._left_out import LeftOut
from mien.batch.executors import Worker
from mien.batch.films import ANNOTATED, FilmWorker, run_films
from mien.batch.items import Item, Outcome
from mien.batch.ledger import Ledger
from mien.batch.photos import PhotoWorker
from mien.batch.plan import plan
from mien.batch.runner import EXECUTORS, run
from mien.batch.sink import check_folder, check_output, result_file
from mien.batch.targets import is_folder, with_film_targets, with_targets
from mien.core.machine import processors

__all__ = [
    "ANNOTATED",
    "EXECUTORS",
    "FilmWorker",
    "Item",
    "Ledger",
    "LeftOut",
    "Outcome",
    "PhotoWorker",
    "Worker",
    "check_folder",
    "check_output",
    "is_folder",
    "plan",
    "processors",
    "result_file",
    "run",
    "run_films",
    "with_film_targets",
    "with_targets",
]
