<?php
/**
 * The page Settings > Comment moderation.
 *
 * @package Comment_Moderation
 */

namespace Comment_Moderation;

defined( 'ABSPATH' ) || exit;

const PAGE = 'comment-moderation';

add_action( 'admin_menu', __NAMESPACE__ . '\\add_page' );
add_action( 'admin_init', __NAMESPACE__ . '\\add_privacy_text' );
add_filter( 'plugin_action_links_' . plugin_basename( MAIN_FILE ), __NAMESPACE__ . '\\add_settings_link' );

/**
 * Adds the page to the menu, and its script to the page.
 */
function add_page(): void {
	$hook = add_options_page(
		__( 'Comment moderation', 'comment-moderation' ),
		__( 'Comment moderation', 'comment-moderation' ),
		'manage_options',
		PAGE,
		__NAMESPACE__ . '\\show_page'
	);
	add_action( 'load-' . $hook, __NAMESPACE__ . '\\add_script' );
}

/**
 * The script of the import button.
 */
function add_script(): void {
	wp_enqueue_script( 'comment-moderation-import', plugins_url( 'assets/import.js', MAIN_FILE ), array( 'wp-api-fetch' ), VERSION, true );
}

/**
 * Adds a link to this page to the list of plugins.
 *
 * @param string[] $links Those that there are.
 * @return string[]
 */
function add_settings_link( array $links ): array {
	array_unshift( $links, '<a href="' . esc_url( page_url() ) . '">' . esc_html__( 'Settings', 'comment-moderation' ) . '</a>' );
	return $links;
}

/**
 * The page's address.
 */
function page_url(): string {
	return admin_url( 'options-general.php?page=' . PAGE );
}

/**
 * What is sent, in one paragraph; also a suggestion for the site's privacy policy.
 */
function what_is_sent(): string {
	return __( 'Of each new comment these are sent to the moderation service: text, name, e-mail address, website and user number of the author, IP address and browser, time, whether a field that people don\'t see was filled, and address, title, category and date of the article. Of changes made here: the new text, the ruling and the display name of who made it. The service shows the e-mail address to its moderators only and publishes none of this.', 'comment-moderation' );
}

/**
 * Suggests a text for the privacy policy.
 */
function add_privacy_text(): void {
	wp_add_privacy_policy_content( __( 'Comment moderation', 'comment-moderation' ), '<p>' . esc_html( what_is_sent() ) . '</p>' );
}

/**
 * The page.
 */
function show_page(): void {
	if ( ! current_user_can( 'manage_options' ) ) {
		return;
	}
	echo '<div class="wrap"><h1>' . esc_html__( 'Comment moderation', 'comment-moderation' ) . '</h1>';
	show_wanted();
	echo '<form method="post" action="options.php">';
	settings_fields( 'comment_moderation' );
	echo '<table class="form-table" role="presentation">';
	show_fields();
	echo '</table>';
	submit_button();
	echo '</form>';
	show_connection();
	show_import();
	echo '<h2>' . esc_html__( 'What is sent', 'comment-moderation' ) . '</h2><p>' . esc_html( what_is_sent() ) . '</p>';
	echo '<p>' . esc_html__( 'Comments by staff (who may moderate, or wrote the article), pingbacks, trackbacks and what WordPress itself puts into spam or trash are not sent.', 'comment-moderation' ) . '</p></div>';
}

/**
 * Does what one of the buttons asked for, and shows what came of it.
 */
function show_wanted(): void {
	$wanted = isset( $_GET['do'] ) ? sanitize_key( $_GET['do'] ) : ''; // phpcs:ignore WordPress.Security.NonceVerification -- checked below.
	if ( ! in_array( $wanted, array( 'test', 'catch-up' ), true ) ) {
		return;
	}
	check_admin_referer( 'comment-moderation-' . $wanted );
	if ( 'catch-up' === $wanted ) {
		delete_option( HEALTH );
		catch_up();
		return;
	}
	foreach ( test_connection() as $result ) {
		$kind = true === $result[0] ? 'success' : ( null === $result[0] ? 'warning' : 'error' );
		echo '<div class="notice notice-' . esc_attr( $kind ) . ' comment-moderation-result"><p>' . esc_html( $result[1] ) . '</p></div>';
	}
}

/**
 * The fields of the form. Key and secret are never shown, only how they end.
 */
function show_fields(): void {
	$settings = settings();
	show_field( 'url', __( 'Address of the service', 'comment-moderation' ), 'url', $settings['url'], __( 'Such as https://moderation.example.', 'comment-moderation' ) );
	show_field( 'key', __( 'Site key', 'comment-moderation' ), 'password', '', kept_words( $settings['key'] ) );
	show_field( 'secret', __( 'Webhook secret', 'comment-moderation' ), 'password', '', kept_words( $settings['secret'] ) );
	echo '<tr><th scope="row">' . esc_html__( 'Webhook address', 'comment-moderation' ) . '</th><td><code>' . esc_html( webhook_url() ) . '</code><p class="description">';
	esc_html_e( 'Give it to the service with: moderation site webhook ADDRESS. That prints the secret.', 'comment-moderation' );
	echo '</p></td></tr><tr><th scope="row">' . esc_html__( 'Rejected comments go to', 'comment-moderation' ) . '</th><td>';
	$places = array(
		'spam'  => __( 'Spam', 'comment-moderation' ),
		'trash' => __( 'Trash', 'comment-moderation' ),
	);
	foreach ( $places as $value => $words ) {
		echo '<label><input type="radio" name="' . esc_attr( SETTINGS . '[rejected]' ) . '" value="' . esc_attr( $value ) . '" ' . checked( $settings['rejected'], $value, false ) . '> ' . esc_html( $words ) . '</label> ';
	}
	echo '</td></tr><tr><th scope="row">' . esc_html__( 'Letters to readers', 'comment-moderation' ) . '</th><td>';
	// Without the hidden one a box that is not ticked would be the same as a form that says nothing of it.
	echo '<input type="hidden" name="' . esc_attr( SETTINGS . '[letters]' ) . '" value=""><label><input type="checkbox" name="' . esc_attr( SETTINGS . '[letters]' ) . '" value="1" ' . checked( $settings['letters'], '1', false ) . '> ';
	esc_html_e( 'Write to authors why a comment was rejected, with a link to the reasons, and what became of their appeal; and to users who reported a comment', 'comment-moderation' );
	echo '</label></td></tr>';
}

/**
 * One line of the form.
 *
 * @param string $name  Of the setting.
 * @param string $label In words.
 * @param string $type  Of the input.
 * @param string $value Shown in it.
 * @param string $help  Below it.
 */
function show_field( string $name, string $label, string $type, string $value, string $help ): void {
	$id = 'comment-moderation-' . $name;
	echo '<tr><th scope="row"><label for="' . esc_attr( $id ) . '">' . esc_html( $label ) . '</label></th><td>';
	echo '<input class="regular-text" id="' . esc_attr( $id ) . '" name="' . esc_attr( SETTINGS . '[' . $name . ']' ) . '" type="' . esc_attr( $type ) . '" value="' . esc_attr( $value ) . '" autocomplete="off">';
	echo '<p class="description">' . esc_html( $help ) . '</p></td></tr>';
}

/**
 * What to say of a stored key or secret.
 *
 * @param string $stored The key or secret.
 */
function kept_words( string $stored ): string {
	if ( '' === $stored ) {
		return __( 'Not set.', 'comment-moderation' );
	}
	/* translators: %s: last four characters. */
	return sprintf( __( 'Set; it ends in %s. Leave empty to keep it.', 'comment-moderation' ), substr( $stored, -4 ) );
}

/**
 * How the connection does, with the buttons to test it and to catch up at once.
 */
function show_connection(): void {
	$health = health();
	$counts = array();
	foreach ( array( 'send', 'change', 'wait' ) as $what ) {
		$counts[ $what ] = count( comments_to( $what, 1000 ) );
	}
	echo '<h2>' . esc_html__( 'Connection', 'comment-moderation' ) . '</h2>';
	if ( $health['failures'] ) {
		echo '<p><strong>' . esc_html( failing_words() ) . '</strong></p>';
	}
	/* translators: 1, 2, 3: numbers of comments. */
	echo '<p>' . esc_html( sprintf( __( 'To be sent: %1$d. Changes to be told: %2$d. Waiting for a decision: %3$d.', 'comment-moderation' ), $counts['send'], $counts['change'], $counts['wait'] ) ) . '</p><p>';
	$buttons = array(
		'test'     => __( 'Test connection', 'comment-moderation' ),
		'catch-up' => __( 'Catch up now', 'comment-moderation' ),
	);
	foreach ( $buttons as $what => $words ) {
		echo '<a class="button" id="comment-moderation-' . esc_attr( $what ) . '" href="' . esc_url( wp_nonce_url( page_url() . '&do=' . $what, 'comment-moderation-' . $what ) ) . '">' . esc_html( $words ) . '</a> ';
	}
	echo '</p>';
}

/**
 * Since when and why the service has not been reached.
 */
function failing_words(): string {
	$health = health();
	/* translators: 1: a length of time, 2: reason. */
	return sprintf( __( 'The moderation service has not been reached for %1$s (%2$s). Meanwhile WordPress decides on comments as it would without it; they are sent later.', 'comment-moderation' ), human_time_diff( $health['since'] ), $health['error'] );
}

/**
 * The button that sends old comments.
 */
function show_import(): void {
	$count = count_importable();
	echo '<h2>' . esc_html__( 'Comments from before', 'comment-moderation' ) . '</h2><p>';
	esc_html_e( 'They can be sent as history: approved ones as approved, spam and trash as rejected. That changes nothing here; moderators find them, and what they rule on them later comes back. Those awaiting moderation stay in WordPress alone.', 'comment-moderation' );
	/* translators: %d: number of comments. */
	echo '</p><p>' . esc_html( sprintf( __( 'Not sent yet: %d.', 'comment-moderation' ), $count ) ) . '</p>';
	echo '<p><button type="button" class="button" id="comment-moderation-import" data-total="' . esc_attr( (string) $count ) . '"' . disabled( ! is_configured() || 0 === $count, true, false ) . '>' . esc_html__( 'Send existing comments', 'comment-moderation' ) . '</button> ';
	/* translators: 1: comments sent, 2: comments refused, 3: comments left. */
	$words = __( '%1$d sent, %2$d refused, %3$d left.', 'comment-moderation' );
	echo '<progress id="comment-moderation-progress" max="1" value="0" hidden></progress> <span id="comment-moderation-said" role="status" data-words="' . esc_attr( $words ) . '"></span></p>';
}
