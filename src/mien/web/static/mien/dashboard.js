// Draws each chart from the table behind it. Names and numbers are the page's; colours are the theme's.
(() => {
  const drawn = [];
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--mien-${name}`).trim();

  // a column of numbers is a series where its cells have a value to draw
  const read = (table) => {
    const rows = [...table.tBodies[0].rows];
    const names = [...table.tHead.rows[0].cells].slice(1).map((cell) => cell.textContent);
    const series = names
      .map((name, column) => ({ name, cells: rows.map((row) => row.cells[column + 1]) }))
      .filter(({ cells }) => cells.every((cell) => "value" in cell.dataset))
      .map(({ name, cells }) => ({
        name,
        values: cells.map((cell) => Number(cell.dataset.value)),
        texts: cells.map((cell) => cell.textContent),
      }));
    return { labels: rows.map((row) => row.cells[0].textContent), colours: rows.map((row) => row.dataset.colour), series };
  };

  // two series differ in form as well as in colour: filled and hatched by its border, whole line and dashes
  const dataset = (kind, colours) => ({ name, values }, place) => {
    const own = colours.some(Boolean);
    const ink = place ? colour("faint") : colour("accent");
    return {
      label: name,
      data: values,
      backgroundColor: own ? colours : kind === "line" ? "transparent" : place ? "transparent" : ink,
      borderColor: own ? colour("faint") : ink,
      borderWidth: kind === "line" ? 2.5 : place ? 2 : 1,
      borderDash: kind === "line" && place ? [6, 4] : [],
      borderRadius: 4,
      pointStyle: place ? "rectRot" : "circle",
      pointRadius: values.length > 60 ? 0 : 3,
      pointBackgroundColor: ink,
      tension: 0.25,
      cubicInterpolationMode: "monotone",
    };
  };

  const draw = (canvas) => {
    const { labels, colours, series } = read(document.getElementById(`${canvas.dataset.chart}-table`));
    const kind = canvas.dataset.kind;
    const isShare = "share" in canvas.dataset;
    const lying = kind === "rows";
    const numbers = {
      beginAtZero: true,
      max: isShare ? 100 : undefined,
      grid: { color: colour("grid") },
      border: { display: false },
      ticks: { color: colour("faint"), precision: 0, maxTicksLimit: 6, callback: isShare ? (value) => `${value} %` : undefined },
    };
    if (!numbers.ticks.callback) delete numbers.ticks.callback;
    const names = {
      grid: { display: false },
      border: { color: colour("grid") },
      ticks: { color: colour("ink"), maxRotation: 0, autoSkip: kind === "line" || labels.length > 8, autoSkipPadding: 12 },
    };
    return new Chart(canvas, {
      type: kind === "line" ? "line" : "bar",
      data: { labels, datasets: series.map(dataset(kind, colours)) },
      options: {
        indexAxis: lying ? "y" : "x",
        responsive: true,
        maintainAspectRatio: false,
        animation: false,
        interaction: { mode: "index", intersect: false, axis: lying ? "y" : "x" },
        scales: lying ? { x: numbers, y: names } : { x: names, y: numbers },
        plugins: {
          legend: { display: series.length > 1, align: "start", labels: { color: colour("ink"), usePointStyle: kind === "line" } },
          tooltip: {
            callbacks: { label: (item) => `${series[item.datasetIndex].name}: ${series[item.datasetIndex].texts[item.dataIndex]}` },
          },
        },
      },
    });
  };

  const drawAll = () => {
    drawn.splice(0).forEach((chart) => chart.destroy());
    Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
    document.querySelectorAll("canvas[data-chart]").forEach((canvas) => drawn.push(draw(canvas)));
  };

  const offerOwnZone = () => {
    const select = document.querySelector("#period-form select[name=zone]");
    const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
    if (select && own && ![...select.options].some((option) => option.value === own)) {
      select.add(new Option(own.replaceAll("_", " "), own));
    }
  };

  document.addEventListener("mien:theme", drawAll);
  drawAll();
  offerOwnZone();
})();
