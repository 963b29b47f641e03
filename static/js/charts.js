// Charts from data: {"kind": "line"|"bar"|"stack"|"area", "unit", "x": […], "series": [{"name", "data", "urls"}], "bands":
// [{"from", "to", "level", "label"}]}. Drawn on canvas, as styles inside drawn markup are not allowed here. A click
// opens the rows behind a point; every chart can be read as a table.
(() => {
  const root = document.documentElement;
  const token = (name) => getComputedStyle(root).getPropertyValue(`--${name}`).trim();
  const SHADES = ["bar", "bar-3", "bar-2", "ink-3"];

  function bands(list) {
    if (!list || !list.length) return undefined;
    return {
      silent: true,
      data: list.map((band) => [
        { yAxis: band.from, name: band.label || "", itemStyle: { color: token(band.level), opacity: 0.16 }, label: { position: "insideTopLeft", color: token("ink-2"), fontSize: 12 } },
        { yAxis: band.to },
      ]),
    };
  }

  function marked(values, index) {
    const missing = (value) => value === null || value === undefined;
    const last = values.findLastIndex((value) => !missing(value));
    return index === last || (missing(values[index - 1]) && missing(values[index + 1]));
  }

  function series(data) {
    return data.series.map((one, index) => {
      const colour = token(SHADES[index % SHADES.length]);
      const line = data.kind !== "bar" && data.kind !== "stack";
      return {
        name: one.name,
        type: line ? "line" : "bar",
        stack: data.kind === "area" || data.kind === "stack" ? "all" : undefined,
        areaStyle: data.kind === "area" ? { opacity: 0.9 } : undefined,
        data: one.data,
        color: colour,
        symbol: "circle",
        // A dot where a line can't say it: the latest value, and values without a neighbour.
        symbolSize: (_value, point) => (marked(one.data, point.dataIndex) ? 8 : 0),
        showAllSymbol: true,
        lineStyle: { width: 2 },
        barMaxWidth: 36,
        // Up to four series carry their own names; nobody has to match a legend.
        endLabel: line && data.series.length <= 4 ? { show: data.series.length > 1, formatter: "{a}", color: token("ink-2"), fontSize: 12 } : undefined,
        label: line ? undefined : { show: data.series.length === 1, position: "top", color: token("ink-2"), fontSize: 12, formatter: (point) => (point.value ? point.value.toLocaleString("en-US") : "") },
        labelLayout: { hideOverlap: true },
        markArea: index === 0 ? bands(data.bands) : undefined,
        animation: false,
      };
    });
  }

  // {"kind": "graph", "nodes": [{"id", "name", "url", "is_person", "is_centre"}], "links": [{"source", "target",
  // "label", "style": "control"|"guarantee"|"family"|"circle"}]}; a click opens what a node stands for.
  function graph(data) {
    const style = { control: ["ink-2", "solid"], guarantee: ["orange", "solid"], family: ["ink-3", "dashed"], circle: ["red", "solid"] };
    const between = {};
    return {
      animation: false,
      textStyle: { fontFamily: token("face") },
      tooltip: { renderMode: "richText", backgroundColor: token("paper"), borderColor: token("line-2"), textStyle: { color: token("ink"), fontSize: 12 }, formatter: (point) => (point.dataType === "edge" ? point.data.label.formatter : point.name) },
      series: [{
        type: "graph",
        layout: data.nodes.length > 24 ? "circular" : "force",
        force: { layoutAnimation: false, repulsion: 420, edgeLength: 110, gravity: 0.12 },
        roam: "move",
        edgeSymbol: ["none", "arrow"],
        edgeSymbolSize: 7,
        labelLayout: { hideOverlap: true },
        data: data.nodes.map((node) => ({
          id: node.id,
          name: node.name,
          url: node.url,
          symbol: node.is_person ? "circle" : "roundRect",
          symbolSize: node.is_centre ? 26 : 18,
          cursor: node.url ? "pointer" : "default",
          itemStyle: { color: token(node.is_centre ? "brand" : node.url ? "bar" : "bar-3"), borderColor: token("paper"), borderWidth: 1 },
          label: { show: true, position: "bottom", color: token("ink"), fontSize: 12, fontWeight: node.is_centre ? 600 : 400, width: 110, overflow: "truncate" },
        })),
        links: data.links.map((link) => {
          const [colour, line] = style[link.style];
          const pair = [link.source, link.target].sort().join(" ");
          between[pair] = (between[pair] || 0) + 1;
          return {
            source: link.source,
            target: link.target,
            lineStyle: { color: token(colour), type: line, width: link.style === "circle" ? 2 : 1, curveness: (between[pair] - 1) * 0.2 + (between[pair] > 1 ? 0.05 : 0) },
            label: { show: data.links.length <= 16, formatter: link.label, color: token("ink-3"), fontSize: 11 },
          };
        }),
      }],
    };
  }

  function option(data) {
    if (data.kind === "graph") return graph(data);
    const text = { color: token("ink-3"), fontSize: 12, fontFamily: token("face") };
    const rule = { lineStyle: { color: token("line-2") } };
    const stacked = data.kind === "stack";
    // Whole things are not counted in fifths.
    const whole = data.series.every((one) => one.data.every((value) => Number.isInteger(value ?? 0)));
    return {
      animation: false,
      textStyle: { fontFamily: token("face") },
      // Stacked bars have no end where a name could stand.
      legend: stacked ? { top: 0, left: 0, itemWidth: 10, itemHeight: 10, textStyle: { color: token("ink-2"), fontSize: 12 } } : undefined,
      grid: { left: 4, right: data.series.length > 1 && !stacked ? 88 : 12, top: stacked ? 36 : 20, bottom: 4, containLabel: true },
      tooltip: { trigger: "axis", renderMode: "richText", backgroundColor: token("paper"), borderColor: token("line-2"), textStyle: { color: token("ink"), fontSize: 12 }, valueFormatter: (value) => `${value.toLocaleString("en-US")}${data.unit || ""}` },
      xAxis: { type: "category", data: data.x, axisLabel: { ...text, hideOverlap: true, alignMinLabel: "left", alignMaxLabel: "right" }, axisLine: rule, axisTick: { show: false } },
      yAxis: { type: "value", minInterval: whole ? 1 : 0, scale: data.kind === "line", axisLabel: { ...text, formatter: (value) => `${value.toLocaleString("en-US")}${data.unit || ""}` }, splitLine: { lineStyle: { color: token("line") } } },
      series: series(data),
    };
  }

  function table(data) {
    const element = document.createElement("table");
    element.className = "plain-table";
    const row = (parent, tag, cells) => {
      const line = parent.insertRow();
      cells.forEach((cell, index) => {
        const box = document.createElement(tag);
        if (index) box.className = "text-end num";
        box.textContent = typeof cell === "number" ? cell.toLocaleString("en-US") : cell ?? "—";
        line.append(box);
      });
    };
    row(element.createTHead(), "th", ["", ...data.series.map((one) => one.name)]);
    const body = element.createTBody();
    data.x.forEach((x, index) => row(body, "td", [x, ...data.series.map((one) => one.data[index])]));
    return element;
  }

  function draw(place) {
    if (window.echarts.getInstanceByDom(place)) return;
    const data = JSON.parse(document.getElementById(`${place.id}-data`).textContent);
    const chart = window.echarts.init(place, null, { renderer: "canvas" });
    chart.setOption(option(data));
    chart.on("click", (point) => {
      if (data.kind === "graph") {
        if (point.dataType === "node" && point.data.url) location.href = point.data.url;
        return;
      }
      const urls = data.series[point.seriesIndex].urls;
      if (urls && urls[point.dataIndex]) location.href = urls[point.dataIndex];
    });
    new ResizeObserver(() => chart.isDisposed() || chart.resize()).observe(place);
    document.addEventListener("theme", () => chart.isDisposed() || chart.setOption(option(data), true));
    const rows = document.getElementById(`${place.id}-table`);
    if (!rows) return; // its table stands on the page
    rows.append(table(data));
    document.querySelector(`[data-chart-table="${place.id}"]`).addEventListener("click", (event) => {
      const button = event.currentTarget;
      const show = rows.hidden;
      rows.hidden = !show;
      place.hidden = show;
      button.setAttribute("aria-pressed", String(show));
    });
  }

  // On the page, on whatever htmx brings, and not on what it takes away.
  const drawAll = (root) => root.querySelectorAll("[data-chart]").forEach(draw);
  document.addEventListener("htmx:load", (event) => drawAll(event.detail.elt));
  document.addEventListener("htmx:beforeCleanupElement", (event) => {
    if (event.detail.elt.matches("[data-chart]")) window.echarts.getInstanceByDom(event.detail.elt)?.dispose();
  });
  drawAll(document);
})();
